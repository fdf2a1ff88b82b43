import { z } from 'zod'
import { authenticator, clientCredentials } from './authenticate-schema.ts'
import { counters, plan, policies, quotas } from './policy-schema.ts'
import { resilience } from './resilience-schema.ts'
import { ms, path, text } from './schema-values.ts'

const headerRules = z
  .strictObject({
    set: z.record(z.string(), z.string()).optional().describe('Fields that are set in place of those that came'),
    remove: z.array(text).optional().describe('Fields that are removed'),
  })
  .describe('Header fields that are set or removed on the way')
const headers = z.strictObject({ request: headerRules.optional(), response: headerRules.optional() })

const target = z.union([
  text.describe('http://host:port or https://host:port'),
  z.strictObject({
    url: text.describe('http://host:port or https://host:port; a path in it is put before every path'),
    weight: z.number().min(0).optional().describe('Share of the traffic relative to the others; default 1, 0: none'),
  }),
])

const health = z
  .strictObject({
    path: path.describe('Answered with 2xx or 3xx by a healthy target'),
    intervalMs: ms('Between two checks; default 5,000').optional(),
    timeoutMs: ms('For the head of the answer; default 1,000').optional(),
  })
  .describe('Asks the targets from time to time whether they are alive')

/** What may be said of an upstream, and of one route to it. */
const forwarding = {
  host: z
    .enum(['target', 'keep'])
    .optional()
    .describe("What Host names: the target (default), or what the client's did"),
  timeoutMs: ms('Until the head of the reply has come, retries included; default 30,000').optional(),
  idleTimeoutMs: ms("Longest silence within a reply's body; default 300,000").optional(),
  bodyMaxBytes: z.int().min(0).optional().describe('Of a request; beyond it: 413. Default 10 MiB'),
  retries: z.int().min(0).max(10).optional().describe('Further attempts at requests that may be repeated; default 2'),
  headers: headers.optional(),
  identity: z
    .boolean()
    .optional()
    .describe('Tells the upstream who asks, in Trestle-Caller-*. Only where it cannot be reached past the gateway'),
  mirror: z
    .strictObject({
      to: text.describe('http://host:port'),
      percent: z.number().min(0).max(100).optional().describe('Of the requests; default 100'),
    })
    .optional()
    .describe('A copy of requests for another server; its replies are thrown away'),
}

const upstream = z
  .strictObject({
    targets: z.array(target).min(1).describe('The servers that can answer'),
    health: health.optional(),
    resilience: resilience.optional(),
    clientCredentials: clientCredentials.optional(),
    tls: z.strictObject({ ca: text.optional().describe('Certificates that are trusted instead, PEM') }).optional(),
    openapi: z
      .strictObject({
        document: text.describe('File of an OpenAPI document, YAML or JSON, from this file'),
        base: path.optional().describe('Put before its paths to have those that the upstream gets: /v2'),
        unknown: z
          .enum(['refuse', 'pass'])
          .optional()
          .describe('Requests that it does not know; default refuse: 404, 405'),
      })
      .optional()
      .describe('What the upstream says of itself: requests are held to it, its operations stand in the document'),
    ...forwarding,
  })
  .describe('Servers that can answer the same requests')

const access = z
  .union([z.enum(['anyone', 'signedIn']), z.array(text).min(1)])
  .describe('Who may ask: anyone, signedIn (default), or a list of scopes that a caller must have')

const redirect = z
  .strictObject({
    to: text.describe('A path, or an address with a path; fields and /* of path are filled in'),
    status: z
      .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
      .optional()
      .describe('Default 308: for good, and with the same method'),
  })
  .describe('Sends clients elsewhere')

const part = z
  .strictObject({
    upstream: text.describe('Name of an upstream: it is asked with GET, and answers JSON'),
    path: path.describe("What it is asked for, with the fields of the route's path: /users/{id}"),
    query: z.array(text).optional().describe('Names of the query parameters that it gets; default none'),
    optional: z.boolean().optional().describe('Its failure does not fail the reply: null in its place. Default false'),
    timeoutMs: ms("Default: the upstream's own; never more than the route's").optional(),
    access: access
      .optional()
      .describe("Who may ask it; default: as the route. Who may not gets the route's other parts"),
  })
  .describe('A field of the reply')

const route = z
  .strictObject({
    path: path.describe('/items/{id}: a field is a whole segment; /legacy/*: everything below'),
    methods: z.array(text).min(1).optional().describe('Default: all'),
    hosts: z.array(text).min(1).optional().describe('Host names, exactly or as *.example.com; default: all'),
    name: text.max(100).optional().describe('For plans, usage and logs; default: method and path'),
    upstream: text.optional().describe('Name of an upstream: it answers'),
    redirect: redirect.optional(),
    aggregate: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), part)
      .optional()
      .describe('One JSON object from several upstreams, which are asked at the same time, by field'),
    access: access.optional(),
    stripPrefix: path.optional().describe('Beginning of the path that the upstream does not get'),
    addPrefix: path.optional().describe('Put before what is left'),
    rewrite: path.optional().describe('The path that the upstream gets, with the fields of path: /v2/{id}, /v2/*'),
    allowInPath: z
      .array(z.enum(['%2F', '%5C', '//', ';']))
      .optional()
      .describe('What may stand in a path though others may read it differently'),
    cost: z.int().min(0).optional().describe('Units of a quota that one request takes; default 1'),
    ...forwarding,
    ...policies,
  })
  .describe('A way in')

/** A configuration file of `trestle gateway`. Strict: what is not known is an error. */
export const gatewayFile = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: where this schema is'),
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower case letters, digits and hyphens, at most 40')
      .optional()
      .describe('Default: edge'),
    listen: z
      .strictObject({
        host: text.optional().describe('Default 127.0.0.1; 0.0.0.0 for all addresses'),
        port: z.int().min(0).max(65_535).optional().describe('Default 4000; 0 picks a free one'),
        adminPort: z.int().min(0).max(65_535).optional().describe('Of the admin listener on 127.0.0.1; default 4001'),
      })
      .optional(),
    hosts: z.array(text).optional().describe('Host names that are served, exactly or as *.example.com; default: any'),
    trustedProxies: z
      .array(text)
      .optional()
      .describe('Addresses or networks whose Forwarded and X-Forwarded-* are believed; default: none'),
    document: z
      .strictObject({
        title: text.optional(),
        version: text.optional(),
        summary: text.optional(),
        description: text.optional(),
      })
      .optional()
      .describe('What the OpenAPI document says about the whole API'),
    store: z
      .strictObject({
        dataDir: text.optional().describe('Where data lie, from this file; default .trestle'),
        postgresUrl: text.optional().describe('A PostgreSQL server in place of the embedded one'),
      })
      .optional()
      .describe('Where keys, usage and shared counters are kept; nothing is opened that is not used'),
    counters: counters.optional(),
    rateLimitHeaders: z
      .union([z.literal(false), z.strictObject({ policy: text.optional(), limit: text.optional() })])
      .optional()
      .describe('Names of the fields that tell a client its limits; false: they are not sent'),
    authenticate: z
      .array(authenticator)
      .optional()
      .describe('Ways to be somebody; the first that recognises a credential decides'),
    plans: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower case letters, digits and hyphens, at most 40'), plan)
      .optional(),
    quota: quotas.optional(),
    upstreams: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'a letter, then letters, digits, . _ and -, at most 64'),
        upstream,
      )
      .optional(),
    routes: z.array(route).min(1),
    headers: headers.optional().describe('For every route: on the way in, and on every reply'),
    ...policies,
  })
  .meta({ title: 'Trestle gateway', description: 'A gateway in front of HTTP services: trestle gateway FILE' })

/** A configuration file as it was read, checked against the schema. */
export type GatewayFile = z.output<typeof gatewayFile>
export type RouteEntry = GatewayFile['routes'][number]
export type AuthenticatorEntry = NonNullable<GatewayFile['authenticate']>[number]
export type UpstreamEntry = NonNullable<GatewayFile['upstreams']>[string]

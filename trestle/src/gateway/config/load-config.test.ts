import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { anyone, scopes } from '../../contract/access.ts'
import {
  apiKeys,
  cache,
  combine,
  cors,
  gateway,
  type GatewaySpec,
  headerRules,
  jwt,
  plan,
  rateLimit,
  redirect,
  redis,
  upstream,
} from '../index.ts'
import { GatewayConfigError } from './config-fault.ts'
import { loadConfig } from './load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'trestle-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function written(text: string, name = `gateway-${++files}.yaml`): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function loaded(text: string, env: Record<string, string> = {}) {
  return loadConfig(written(text), { env, shownAs: 'gateway.yaml' })
}

function faultsOf(text: string, env: Record<string, string> = {}): readonly string[] {
  try {
    loaded(text, env)
  } catch (error) {
    if (!(error instanceof GatewayConfigError && error.code === 'config_invalid')) throw error
    return error.message.split('\n').slice(0, error.faults.length)
  }
  throw new Error('it was accepted')
}

/** Functions and clusters aside: what `gateway({...})` was given. */
function asData(spec: GatewaySpec): unknown {
  return JSON.parse(JSON.stringify(spec))
}

const small = `
upstreams:
  items: { targets: [http://127.0.0.1:9001] }
routes:
  - { path: /items/*, upstream: items, access: anyone }
`

describe('a configuration file', () => {
  it('makes what gateway({...}) in a system.ts makes', () => {
    const { spec } = loaded(`
authenticate:
  - apiKeys: { query: api_key }
  - jwt: { issuer: https://login.example.com, audience: [shop] }
plans:
  free: { quotas: [{ per: day, allow: 1000 }], limits: [{ allow: 1, windowMs: 1000 }] }
  premium: {}
quota: { status: 402 }
counters: { redis: { url: redis://127.0.0.1 } }
rateLimitHeaders: false
limits: [{ per: ip, allow: 100, windowMs: 1000, before: authentication }]
cors: { origins: ['*'] }
hosts: [api.example.com]
trustedProxies: [10.0.0.0/8]
document: { title: Shop }
headers: { response: { set: { X-Frame-Options: DENY } } }
upstreams:
  legacy:
    targets: [http://127.0.0.1:9001, { url: http://127.0.0.1:9002, weight: 0.05 }]
    health: { path: /healthz }
    resilience: { breaker: false, ejection: { baseMs: 500 }, retries: { ratio: 0.1 } }
    headers: { request: { set: { X-From: edge } } }
routes:
  - path: /legacy/*
    upstream: legacy
    methods: [GET]
    access: anyone
    stripPrefix: /legacy
    timeoutMs: 2000
    headers: { request: { remove: [Cookie] } }
    cache: { ttlMs: 1000 }
    limits: [{ per: caller, allow: 5, windowMs: 1000 }]
    cors: { origins: [https://app.example.com], headers: ['*'] }
  - { path: '/items/{id}', upstream: legacy, access: [items:read], rewrite: '/v2/{id}', cost: 3, name: item }
  - { path: /old/*, redirect: { to: /new/*, status: 301 } }
`)
    const targets = ['http://127.0.0.1:9001', { url: 'http://127.0.0.1:9002', weight: 0.05 }]
    const set = { 'X-From': 'edge' }
    const health = { path: '/healthz' }
    const resilience = { breaker: false, ejection: { baseMs: 500 }, retries: { ratio: 0.1 } } as const
    const response = { set: {}, remove: [] }
    const inCode = gateway({
      authenticate: [apiKeys({ query: 'api_key' }), jwt({ issuer: 'https://login.example.com', audience: ['shop'] })],
      plans: {
        free: plan({ quotas: [{ per: 'day', allow: 1_000 }], limits: [{ allow: 1, windowMs: 1_000 }] }),
        premium: plan(),
      },
      quota: { status: 402 },
      counters: redis({ url: 'redis://127.0.0.1' }),
      rateLimitHeaders: false,
      policies: [
        rateLimit({ per: 'ip', allow: 100, windowMs: 1_000, before: 'authentication' }),
        cors({ origins: '*' }),
        headerRules({ response: { set: { 'X-Frame-Options': 'DENY' } } }),
      ],
      hosts: ['api.example.com'],
      trustedProxies: ['10.0.0.0/8'],
      document: { title: 'Shop' },
      routes: [
        upstream('/legacy/*', targets, {
          pool: 'legacy',
          methods: ['GET'],
          access: anyone(),
          stripPrefix: '/legacy',
          timeoutMs: 2_000,
          health,
          resilience,
          headers: { request: { set, remove: ['Cookie'] }, response },
          policies: [
            rateLimit({ per: 'caller', allow: 5, windowMs: 1_000 }),
            cors({ origins: ['https://app.example.com'], headers: '*' }),
            cache({ ttlMs: 1_000 }),
          ],
        }),
        upstream('/items/{id}', targets, {
          pool: 'legacy',
          access: scopes('items:read'),
          rewrite: '/v2/{id}',
          cost: 3,
          name: 'item',
          health,
          resilience,
          headers: { request: { set, remove: [] }, response },
        }),
        redirect('/old/*', '/new/*', { status: 301 }),
      ],
    })
    expect(asData(spec)).toEqual(asData(inCode))
  })

  it('makes aggregates, each part a route to its upstream', () => {
    const { spec } = loaded(`
upstreams:
  users: { targets: [http://127.0.0.1:9001], timeoutMs: 900, openapi: { document: gateway-1.yaml } }
  orders: { targets: [http://127.0.0.1:9002], headers: { request: { set: { X-From: edge } } } }
routes:
  - path: /home/{id}
    access: anyone
    timeoutMs: 1000
    aggregate:
      user: { upstream: users, path: '/users/{id}' }
      orders: { upstream: orders, path: '/orders/{id}', optional: true, timeoutMs: 150, query: [limit] }
`)
    const pattern = '/home/{id}'
    const rules = { request: { set: {}, remove: [] }, response: { set: {}, remove: [] } }
    const set = { 'X-From': 'edge' }
    const both = { access: anyone(), headers: rules }
    const user = { ...both, pool: 'users', rewrite: '/users/{id}', timeoutMs: 900 }
    const headers = { ...rules, request: { set, remove: [] } }
    const orders = { ...both, headers, pool: 'orders', rewrite: '/orders/{id}', timeoutMs: 150 }
    const whole = combine(
      pattern,
      {
        user: { upstream: upstream(pattern, ['http://127.0.0.1:9001'], user) },
        orders: { upstream: upstream(pattern, ['http://127.0.0.1:9002'], orders), optional: true, query: ['limit'] },
      },
      { access: anyone(), timeoutMs: 1_000 },
    )
    expect(asData(spec)).toEqual(asData(gateway({ routes: [whole] })))
  })

  it('makes log-ins with their pages, opaque tokens, and upstreams that are held to a document', () => {
    writeFileSync(join(folder, 'items.openapi.json'), '{}')
    const sessionKey = '0123456789abcdef0123456789abcdef'
    const { spec, files: read } = loaded(
      `
authenticate:
  - oidc: { issuer: https://login.example.com, clientId: web, sessionKey: "\${env:SESSION_KEY}" }
  - introspection: { issuer: https://id.example.com, clientId: edge, clientSecret: "\${env:SESSION_KEY}" }
upstreams:
  items:
    targets: [http://127.0.0.1:9001]
    openapi: { document: items.openapi.json, unknown: pass }
    clientCredentials: { issuer: https://id.example.com, clientId: edge, clientSecret: "\${env:SESSION_KEY}" }
routes:
  - { path: /items/*, upstream: items, access: [items] }
`,
      { SESSION_KEY: sessionKey },
    )
    expect(spec.routes.map(({ kind }) => kind)).toEqual(['oidc-pages', 'upstream'])
    expect(spec.policies.map(({ name }) => name)).toHaveLength(1)
    expect(spec.authenticate).toHaveLength(2)
    const document = pathToFileURL(join(folder, 'items.openapi.json'))
    expect(spec.routes[1]?.policies).toHaveLength(1)
    expect(spec.routes[1]).toMatchObject({ openapi: { document, unknown: 'pass' } })
    expect(read).toContain(join(folder, 'items.openapi.json'))
  })

  it('may be JSON as well, tabs included', () => {
    const text = JSON.stringify(
      {
        listen: { port: 8080 },
        upstreams: { a: { targets: ['http://127.0.0.1:1'] } },
        routes: [{ path: '/', upstream: 'a', access: 'anyone' }],
      },
      undefined,
      '\t',
    )
    expect(loaded(text).listen).toEqual({ host: undefined, port: 8080, adminPort: undefined })
  })

  it('shares what an anchor names', () => {
    const { spec } = loaded(`
upstreams:
  a: &same { targets: [http://127.0.0.1:1] }
  b: *same
routes:
  - { path: /a/*, upstream: a, access: anyone }
  - { path: /b/*, upstream: b, access: anyone }
`)
    expect(spec.routes).toHaveLength(2)
  })

  it('says where its data lie from where it stands itself', () => {
    const { dataDir, files: read } = loaded(`store: { dataDir: data }\n${small}`)
    expect(dataDir).toBe(join(folder, 'data'))
    expect(read).toHaveLength(1)
  })
})

describe('what is wrong with a configuration file', () => {
  it('is told all at once, in the order of the file, each with line, column and what to do', () => {
    const faults = faultsOf(`name: Edge!
listen: { hots: x }
upstreams:
  a: { targets: [] }
  b:
    targets: [{ url: http://127.0.0.1:1, weigth: 3 }, 5]
routes:
  - path: legacy/*
    upstream: c
    acess: anyone
    access: 3
  - path: /x
    limits: [{ per: keys, allow: 1 }]
counters: shard
`)
    expect(faults).toEqual([
      'gateway.yaml:1:7: name must be lower case letters, digits and hyphens, at most 40',
      'gateway.yaml:2:11: hots is not known in listen. Did you mean host?',
      'gateway.yaml:4:17: upstreams.a.targets must not be empty',
      'gateway.yaml:6:42: weigth is not known in upstreams.b.targets[0]. Did you mean weight?',
      'gateway.yaml:6:55: upstreams.b.targets[1] must be text or a map',
      'gateway.yaml:8:11: routes[0].path must start with /',
      'gateway.yaml:10:5: acess is not known in routes[0]. Did you mean access?',
      'gateway.yaml:11:13: routes[0].access must be anyone, signedIn or a list',
      'gateway.yaml:13:14: routes[1].limits[0].windowMs is missing in routes[1].limits[0]. Give it a number',
      'gateway.yaml:13:21: routes[1].limits[0].per must be one of caller, key, ip, route. Did you mean key?',
      'gateway.yaml:14:11: counters must be process, shared or a map. Did you mean shared?',
    ])
  })

  it('says how a value of the wrong form is written, and where a key belongs that is known elsewhere', () => {
    const faults = faultsOf(`authenticate:
  - apiKeys
  - jwt: { issuer: https://login.example.com, audience: shop }
compress: true
plans: { Free: {}, a: { quotas: [{ per: week, allow: 1 }, { per: day, allow: 0.5 }] } }
upstreams:
  items: { targets: http://127.0.0.1:9001, stripPrefix: /v1 }
routes:
  - { path: /a, upstream: items, access: items:read }
  - { path: /b, upstream: '', access: anyone, health: { path: /b } }
`)
    expect(faults).toEqual([
      'gateway.yaml:2:5: authenticate[0] must be a map, not text. Write { } for the defaults, { name: value } for others',
      'gateway.yaml:3:57: authenticate[1].jwt.audience must be a list, not text. Write it in [ ]',
      'gateway.yaml:4:11: compress must be a map, not true or false. Write { } for the defaults, { name: value } for others',
      'gateway.yaml:5:16: plans.Free is no name: lower case letters, digits and hyphens, at most 40',
      'gateway.yaml:5:41: plans.a.quotas[0].per must be one of day, month',
      'gateway.yaml:5:78: plans.a.quotas[1].allow must be a whole number, not 0.5',
      'gateway.yaml:7:21: upstreams.items.targets must be a list, not text. Write it in [ ]',
      'gateway.yaml:7:44: stripPrefix is not known in upstreams.items. It belongs to an entry of routes',
      'gateway.yaml:9:42: routes[0].access must be anyone, signedIn or a list. Write a list in [ ]',
      'gateway.yaml:10:27: routes[1].upstream must not be empty',
      'gateway.yaml:10:47: health is not known in routes[1]. It belongs to an entry of upstreams',
    ])
  })

  it('is also what no schema can say: names of nothing, options that do not fit', () => {
    const faults = faultsOf(`upstreams:
  items: { targets: [http://127.0.0.1:1] }
  spare: { targets: [http://127.0.0.1:2] }
routes:
  - { path: /a, upstream: item, access: anyone }
  - { path: /b, upstream: items, stripPrefix: /c, access: anyone }
  - path: /d
    upstream: items
    access: anyone
    limits: [{ per: key, allow: 1, windowMs: 1000, before: authentication }]
  - { path: '/x/{a}', upstream: items, access: anyone }
  - { path: '/x/{b}', upstream: items, access: anyone }
  - { path: /y, upstream: items }
  - { path: /z, redirect: { to: /y }, upstream: items, access: anyone }
  - { path: /old/*, redirect: { to: 'ftp://x/' }, timeoutMs: 5 }
  - { path: /none }
  - { path: /all, access: anyone, retries: 1, aggregate: { one: { upstream: itms, path: /a } } }
  - { path: '/all/{id}', access: anyone, aggregate: { one: { upstream: items, path: '/{x}' } } }
headers: { request: { set: { Host: x } } }
`)
    expect(faults).toEqual([
      'gateway.yaml:3:10: No route uses the upstream spare. Add one, or remove it',
      'gateway.yaml:5:27: There is no upstream item. Did you mean items?',
      'gateway.yaml:6:5: upstream(/b): stripPrefix /c is not the beginning of the pattern',
      "gateway.yaml:10:14: rateLimit(key): before authentication nobody knows the key; write per: 'ip'",
      'gateway.yaml:12:13: /x/{b} is taken by routes[3] (/x/{a}): same host, path and method. Change one of them',
      'gateway.yaml:13:5: /y needs a caller, but the gateway authenticates nobody. Give the route access: anyone, or the gateway authenticate',
      'gateway.yaml:14:5: /z leads to two places. Give it one of upstream, aggregate and redirect',
      'gateway.yaml:15:5: redirect(/old/*): "ftp://x/" is neither a path nor an address with a path',
      'gateway.yaml:15:62: timeoutMs means nothing for a redirect. Remove it',
      'gateway.yaml:16:5: /none leads nowhere. Give it one of upstream, aggregate and redirect',
      'gateway.yaml:17:44: retries means nothing for an aggregate. Say it of its upstreams',
      'gateway.yaml:17:77: There is no upstream itms. Did you mean items?',
      'gateway.yaml:18:60: upstream(/all/{id}): rewrite names {x}, which the pattern does not have',
      "gateway.yaml:19:10: headerRules: the header Host is the gateway's own and cannot be set or removed",
    ])
  })

  it('is told once and where it stands, also when only the whole gateway would refuse it', () => {
    const faults = faultsOf(`listen: { port: 8080, adminPort: 8080 }
hosts: [shop.example, '*.*.example']
trustedProxies: [10.0.0.0/8, proxy]
authenticate:
  - apiKeys: {}
  - apiKeys: { query: api_key }
plans:
  free: { routes: [GET /items/*, items.*, reports] }
upstreams:
  items:
    targets: [http://127.0.0.1:9001, 'http//x', { url: 'ftp://x' }]
    mirror: { to: 127.0.0.1:9002 }
routes:
  - { path: /items/*, upstream: items, methods: [GET] }
  - { path: /more/*, upstream: items, name: report }
  - { path: /other/*, upstream: items, hosts: [https://shop.example] }
`)
    expect(faults).toEqual([
      'gateway.yaml:1:34: 8080 is the port of the gateway itself. Give the admin listener another',
      'gateway.yaml:2:23: gateway: "*.*.example" is no host name; write api.example.com or *.example.com',
      'gateway.yaml:3:30: gateway: "proxy" is no address and no network like 10.0.0.0/8',
      'gateway.yaml:6:5: api-keys is here a second time. Give this one another name, or remove it',
      'gateway.yaml:8:34: No route is called items.*. There are GET /items/*, report, * /other/*',
      'gateway.yaml:8:43: No route is called reports. Did you mean report?',
      'gateway.yaml:11:38: "http//x" is no address like http://127.0.0.1:9001',
      'gateway.yaml:11:49: "ftp://x" is no address like http://127.0.0.1:9001',
      'gateway.yaml:12:19: "127.0.0.1:9002" is no address like http://127.0.0.1:9001',
      'gateway.yaml:16:48: gateway: "https://shop.example" is no host name; write api.example.com or *.example.com',
    ])
  })

  it.each([
    ['a key that stands twice', `${small}routes: []\n`, /6:1: routes stands here twice\. Remove one/],
    ['a tag', `name: !!js/function "x"\n${small}`, /1:7: Tags/],
    ['a known tag', `name: !!binary aGk=\n${small}`, /1:16: Tags/],
    ['a tag of its own', `name: !x y\n${small}`, /1:7: Tags/],
    ['several documents', `${small}---\na: 1\n`, /several documents/],
    ['an alias without an anchor', `name: *nobody\n${small}`, /1:7: There is no anchor &nobody/],
    ['a secret that is not quoted in a list', 'hosts: [${env:HOST}]\n', /put a value with \$\{\.\.\.\} in quotes/],
    ['a key that would become something else', `__proto__: { a: 1 }\n${small}`, /1:1: A key must be plain text/],
    [
      'a document that is not there',
      small.replace('9001]', '9001], openapi: { document: none.yaml }'),
      /There is no file none\.yaml/,
    ],
    [
      'two ways in one',
      `authenticate: [{ apiKeys: {}, jwt: { issuer: 'https://x', audience: [a] } }]\n${small}`,
      /exactly one/,
    ],
    ['nothing', '', /routes is missing at the top/],
    ['a list', '- a\n- b\n', /1:1: The file must be a map, not a list/],
    ['no YAML', 'name: [\n', /gateway.yaml:\d+:\d+: /],
    [
      'an upstream with a name that is none',
      'upstreams: { "a b": { targets: [http://x:1] } }\nroutes: []',
      /1:\d+: .*is no name/,
    ],
  ])('is %s', (_, text, expected) => {
    expect(faultsOf(text).join('\n')).toMatch(expected)
  })

  it('is an alias of aliases that would become a million values, and nothing hangs', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `l${at}: &l${at} [${Array(10)
          .fill(at === 0 ? 'x' : `*l${at - 1}`)
          .join(', ')}]`,
    )
    expect(faultsOf(levels.join('\n')).join('\n')).toMatch(/more than 200000 values/)
  })

  it('is a great many aliases, and nothing hangs', () => {
    const begunMs = performance.now()
    const hosts = Array(60_000).fill('*a').join(',')
    expect(faultsOf(`name: &a edge\nhosts: [${hosts}]\nodd: 1\n`).join('\n')).toMatch(/odd is not known/)
    expect(performance.now() - begunMs).toBeLessThan(5_000)
  })

  it('is what the anchor before an alias says, when there are two of one name', () => {
    expect(faultsOf('name: &a edge\nupstreams: &a {}\nhosts: *a\n').join('\n')).toMatch(
      /hosts must be a list, not a map/,
    )
    expect(faultsOf('hosts: [&a "x y"]\nname: &a edge\nupstreams: *a\n').join('\n')).toMatch(/upstreams must be a map/)
  })

  it('is a value that contains itself', () => {
    expect(faultsOf('hosts: &a [*a]\n').join('\n')).toMatch(/nested deeper|no anchor/)
  })

  it('is a file that is too large, or not there', () => {
    expect(faultsOf(`# ${'x'.repeat(4_200_000)}\n${small}`)[0]).toMatch(/larger than 4194304 bytes/)
    expect(() => loadConfig(folder, { env: {} })).toThrow(/cannot be read \(EISDIR\)\. Correct the path/)
    expect(() => loadConfig(join(folder, 'nowhere.yaml'), { env: {} })).toThrow(
      expect.objectContaining({
        code: 'config_unreadable',
        message: expect.stringContaining('nowhere.yaml cannot be read (ENOENT). Correct the path'),
      }),
    )
  })
})

describe('a value from outside', () => {
  const secret = 'hunter22-not-for-logs'

  it('stands for a whole text, a part of it, or a number', () => {
    writeFileSync(join(folder, 'weight'), '0.5\n')
    const {
      spec,
      listen,
      files: read,
    } = loaded(
      `
listen: { port: "\${env:PORT}" }
upstreams:
  a:
    targets: [{ url: "http://\${env:HOST}:\${env:PORT}", weight: "\${file:weight}" }]
    headers: { request: { set: { Authorization: "Bearer \${env:TOKEN}", X-Literal: "$\${env:TOKEN}" } } }
routes: [{ path: /, upstream: a, access: anyone }]
`,
      { PORT: '8081', HOST: 'localhost', TOKEN: secret },
    )
    expect(listen.port).toBe(8081)
    expect(read).toContain(join(folder, 'weight'))
    expect(spec.routes[0]).toMatchObject({
      targets: [{ url: 'http://localhost:8081', weight: 0.5 }],
      headers: { request: { set: { Authorization: `Bearer ${secret}`, 'X-Literal': '${env:TOKEN}' } } },
    })
  })

  it('that is missing is named with its place', () => {
    const faults = faultsOf(
      `listen: { host: "\${env:NOT_THERE}", port: "\${file:nope}" }\nname: "\${vault:x}"\nstore: { postgresUrl: "\${env:EMPTY}" }\n${small}`,
      { EMPTY: '' },
    )
    expect(faults).toEqual([
      'gateway.yaml:1:17: The environment variable NOT_THERE is not set. Set it, or write a value here',
      'gateway.yaml:1:43: The file nope cannot be read (ENOENT). Correct the path or its rights',
      'gateway.yaml:2:7: ${vault:x} names nothing. Write ${env:NAME} or ${file:/path}, or $${ for the characters',
      'gateway.yaml:3:23: The environment variable EMPTY is empty. Set it, or write a value here',
    ])
  })

  it('is never printed, whatever is wrong with it', () => {
    const text = `
name: "\${env:SECRET}"
counters: "\${env:SECRET}"
listen: { port: "\${env:SECRET}" }
upstreams:
  a: { targets: ["\${env:SECRET}", "http://x:1/?key=\${env:SECRET}"], headers: { request: { set: { Via: "\${env:CRLF}" } } } }
routes:
  - { path: "/\${env:SECRET}/{", upstream: a, stripPrefix: "/\${env:SECRET}" }
  - { path: /b, upstream: "\${env:SECRET}" }
`
    const whole = { SECRET: secret, CRLF: `${secret}\r\nX-Evil: 1` }
    expect(faultsOf(text, whole).join('\n')).not.toContain(secret)
    const built = text.replace(/^(?:name|counters|listen).*$/gm, '')
    const faults = faultsOf(built, whole).join('\n')
    expect(faults).not.toContain(secret)
    expect(faults).toContain('${env:SECRET}')
  })
})

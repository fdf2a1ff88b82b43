import { z } from 'zod'
import { contract, get, post, problem, put, scopes } from '../contract/index.ts'

/** Any JSON: what only the called operation's own contract knows more about. */
export type Json = z.output<z.ZodJSONSchema>

const operator = scopes('operator')

const ServiceState = z.enum(['starting', 'ready', 'degraded', 'down', 'stopped', 'failed'])
const ProcessState = z.enum(['starting', 'ready', 'draining', 'waiting', 'failed'])

const Process = z.object({
  process: z.string(),
  pid: z.int().optional(),
  state: ProcessState,
  version: z.string().optional(),
  uptimeMs: z.number().optional(),
  restarts: z.int(),
  memoryBytes: z.int().optional(),
  cpuPercent: z.number().optional(),
})

const Service = z.object({
  service: z.string(),
  group: z.string(),
  version: z.string().optional(),
  contracts: z.array(z.string()),
  replicas: z.int(),
  state: ServiceState,
  reason: z.string().optional(),
  processes: z.array(Process),
})

/** What runs where. */
const Status = z.object({
  system: z.string(),
  topology: z.string(),
  pid: z.int(),
  uptimeMs: z.number(),
  gatewayUrl: z.string().optional(),
  services: z.array(Service),
})

const Route = z.object({
  method: z.string(),
  path: z.string(),
  hosts: z.array(z.string()),
  name: z.string(),
  kind: z.enum(['operation', 'aggregate', 'upstream', 'redirect', 'page']),
  access: z.string(),
  policies: z.array(z.string()),
})

const Member = z.object({
  id: z.string(),
  state: z.enum(['healthy', 'probation', 'ejected', 'unhealthy']),
  weight: z.number(),
  inFlight: z.int(),
  latencyMs: z.number(),
  requests: z.int(),
  failures: z.int(),
  lastEjection: z.object({ reason: z.string(), atMs: z.number() }).optional(),
})

const Cluster = z.object({
  kind: z.enum(['upstream', 'service']),
  name: z.string(),
  breaker: z.enum(['closed', 'open', 'half-open']),
  inFlight: z.int(),
  concurrencyLimit: z.number().optional(),
  members: z.array(Member),
})

/** One running gateway. */
const Gateway = z.object({ process: z.string(), routes: z.array(Route), clusters: z.array(Cluster) })

const Affected = z.object({ group: z.string(), services: z.array(z.string()), replicas: z.int() })

const named = z.object({ service: z.string().min(1).max(64) })

const errors = {
  unknown_service: problem(404, 'The system has no such service'),
  not_separable: problem(409, 'The placement does not let this service be moved alone'),
  busy: problem(409, 'Something else is being done to this service'),
  deploy_failed: problem(409, 'The new replicas did not become ready; what ran before still runs'),
  start_failed: problem(409, 'The service did not become ready'),
  invalid_replicas: problem(400, 'That many replicas are not possible'),
  stopping: problem(409, 'The system is stopping'),
}

/** Starting a service may load its data: as long as it needs to, within this bound, milliseconds. */
const actTimeoutMs = 900_000

const act = { input: named, output: Affected, errors, access: operator, timeoutMs: actTimeoutMs }

/** What an operator may see of a running system, and do to it. Served on 127.0.0.1 only, with the token of `admin.json`. */
export const adminContract = contract('admin', {
  version: '1.0.0',
  owner: 'platform',
  summary: 'The running system: look, scale, restart, stop, start, deploy, call.',
  operations: {
    status: get('/status', { summary: 'What runs where', output: Status, access: operator }),
    gateways: get('/gateways', {
      summary: 'What each running gateway shows, and how those behind it stand',
      output: z.array(Gateway),
      access: operator,
    }),
    scale: put('/services/{service}/replicas', {
      summary: 'Set how many processes run a service',
      input: named.extend({ replicas: z.int() }),
      output: Affected,
      errors,
      access: operator,
      timeoutMs: actTimeoutMs,
    }),
    restart: post('/services/{service}/restart', { summary: 'Replace all processes of a service', ...act }),
    stop: post('/services/{service}/stop', { summary: 'Drain and end all processes of a service', ...act }),
    start: post('/services/{service}/start', { summary: 'Start a service that was stopped or given up', ...act }),
    deploy: post('/services/{service}/deploy', { summary: 'Put the code on disk to work', ...act }),
    call: post('/calls', {
      summary: 'Call any operation as the operator',
      input: z.object({
        contract: z.string().min(1).max(128),
        operation: z.string().min(1).max(128),
        input: z.json(),
        key: z.string().max(255).optional(),
        as: z.object({ kind: z.literal('user'), id: z.string().min(1).max(255) }).optional(),
      }),
      output: z.object({
        ok: z.boolean(),
        status: z.int(),
        /** What the operation answered. */
        value: z.json().optional(),
        /** Bytes that are not JSON, base64, with their media type. */
        bytes: z.object({ base64: z.string(), contentType: z.string() }).optional(),
        problem: z.json().optional(),
      }),
      access: operator,
      timeoutMs: 600_000,
      bodyMaxBytes: 16_777_216,
    }),
  },
})

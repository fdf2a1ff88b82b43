import { connect } from 'node:net'
import { z } from 'zod'
import type { Call, Handle, Reply } from '../call/call.ts'
import { anyone, contract, get, post, problem, query, scopes, signedIn } from '../contract/index.ts'
import type { HttpLimits } from '../http/message.ts'
import { serve } from '../http/serve.ts'
import { systemClock } from '../std/clock.ts'
import type { AccessRecord } from '../telemetry/access-log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { authenticator } from './authentication/authenticator.ts'
import { createGateway, type Gateway, type GatewayDeps } from './create-gateway.ts'
import { expose } from './route/expose.ts'
import { gateway, type GatewayOptions } from './gateway.ts'

/** Who holds which token; for tests of the gateway. */
export const sessions = contract('sessions', {
  version: '1.0.0',
  operations: {
    verify: query({
      input: z.object({ token: z.string() }),
      output: z.object({ id: z.string(), scopes: z.array(z.string()) }),
    }),
  },
})

/** A small contract with one operation for each thing that the gateway does. */
export const notes = contract('notes', {
  version: '1.2.0',
  operations: {
    list: get('/pub/notes', {
      input: z.object({ tag: z.string().optional() }),
      output: z.array(z.string()),
      access: anyone(),
    }),
    read: get('/pub/notes/{id}', {
      input: z.object({ id: z.string() }),
      output: z.object({ id: z.string() }),
      errors: { note_not_found: problem(404) },
      access: anyone(),
    }),
    add: post('/pub/notes', {
      input: z.object({ text: z.string() }),
      output: z.object({ id: z.string() }),
      created: true,
      access: anyone(),
      bodyMaxBytes: 1_000,
    }),
    agent: get('/pub/agent', {
      input: z.object({ agent: z.string().optional(), real: z.string().optional(), user: z.string().optional() }),
      output: z.string(),
      headers: { agent: 'user-agent', real: 'x-real-ip', user: 'x-user-id' },
      access: anyone(),
    }),
    mine: get('/mine', { output: z.array(z.string()), access: signedIn() }),
    admin: get('/admin/{x}', {
      input: z.object({ x: z.string() }),
      output: z.string(),
      access: scopes('admin', 'root'),
    }),
    old: get('/old', {
      output: z.string(),
      access: anyone(),
      deprecated: { on: '2027-01-31', sunset: '2999-01-01', use: '/pub/notes' },
    }),
  },
})

const fromSessions = authenticator({
  name: 'sessions',
  scheme: 'bearer',
  uses: { sessions },
  async authenticate({ credential, call }) {
    const answer = await call.sessions.verify({ token: credential })
    return answer.id === '' ? undefined : { kind: 'user', ...answer }
  },
})

export interface Bench {
  readonly gateway: Gateway
  readonly port: number
  /** Every call that reached a service, without the authenticator's. */
  readonly calls: Call[]
  readonly records: AccessRecord[]
  readonly errors: Readonly<Record<string, unknown>>[]
  readonly metrics: Metrics
  /** Sends bytes as they are; resolves with all that came back when the connection closed or was quiet after a reply. */
  raw(text: string): Promise<string>
  fetch(path: string, init?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

export type Answer = (call: Call) => Reply | Promise<Reply>

const json = (value: unknown, status = 200): Reply => ({
  ok: true,
  status,
  body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(value)), contentType: 'application/json' },
})

/** Answers `verify` from the token itself: `alice:a,b` is Alice with two scopes, `nobody` is unknown. */
function verify(call: Call): Reply {
  const { token } = (call.input as { value: { token: string } }).value
  if (token === 'nobody') return { ok: true, status: 200, body: { kind: 'value', value: { id: '', scopes: [] } } }
  const [id = '', list = ''] = token.split(':')
  return { ok: true, status: 200, body: { kind: 'value', value: { id, scopes: list.split(',').filter(Boolean) } } }
}

/** Starts a gateway over a fake system: `answer` is every service. */
export async function startBench(
  answer: Answer = () => json({ id: '1' }),
  options: Partial<GatewayOptions> & {
    readonly verify?: Answer
    readonly deps?: Partial<GatewayDeps>
    readonly limits?: HttpLimits
  } = {},
): Promise<Bench> {
  const calls: Call[] = []
  const records: AccessRecord[] = []
  const errors: Readonly<Record<string, unknown>>[] = []
  const metrics = createMetrics()
  const send: Handle = async (call) => {
    if (call.contract === sessions.id) return await (options.verify ?? verify)(call)
    calls.push(call)
    return await answer(call)
  }
  const spec = gateway({ authenticate: [fromSessions], routes: [expose(notes)], ...options })
  const made = await createGateway(spec, {
    send,
    clock: systemClock,
    log: { info() {}, warn() {}, error: (fields) => void errors.push(fields) },
    accessLog: (record) => void records.push(record),
    metrics,
    readiness: () => ({ ready: true, services: [{ name: 'notes', state: 'ready', instances: 2 }] }),
    info: { title: 'Notes', version: '1.0.0' },
    ...options.deps,
  })
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    handler: made.handler,
    onRefusal: made.onRefusal,
    limits: options.limits ?? {},
  })
  return {
    gateway: made,
    port: server.port,
    calls,
    records,
    errors,
    metrics,
    raw: (text) => exchange(server.port, text),
    fetch: (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, { redirect: 'error', ...init }),
    stop: () => server.close(),
  }
}

/** One connection: everything is sent, everything that comes back until the server closes is the result. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      got += chunk
    })
    socket.on('close', () => resolve(got))
    socket.on('error', reject)
    socket.write(text, 'latin1')
  })
}

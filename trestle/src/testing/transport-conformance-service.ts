import { z } from 'zod'
import { anyone, bytes, contract, del, get, post, problem, put, signedIn } from '../contract/index.ts'
import { createServiceHandle, implement, type Log, type ServiceHandle } from '../service/index.ts'
import { systemClock } from '../std/clock.ts'

/** One operation for each thing that a transport must carry. */
export const probe = contract('probe', {
  version: '1.0.0',
  operations: {
    echo: post('/echo', {
      input: z.object({ value: z.json() }),
      output: z.object({ value: z.json() }),
      access: anyone(),
      bodyMaxBytes: 16 * 1_048_576,
      timeoutMs: 30_000,
    }),
    say: get('/say/{text}', {
      input: z.object({ text: z.string(), loud: z.string().optional() }),
      output: z.object({ text: z.string(), loud: z.string().nullable() }),
      access: anyone(),
    }),
    change: post('/change', {
      input: z.object({ list: z.array(z.int()) }),
      output: z.object({ list: z.array(z.int()) }),
      created: true,
      access: anyone(),
    }),
    sell: put('/sell/{sku}', {
      input: z.object({ sku: z.string(), quantity: z.int().min(1).max(9), note: z.string().max(5).optional() }),
      output: z.object({ sold: z.int() }),
      errors: {
        out_of_stock: problem(409, z.object({ sku: z.string(), left: z.int() })),
        frozen: problem(423, 'Sales are frozen'),
      },
      access: anyone(),
    }),
    crash: post('/crash', { access: anyone() }),
    lie: get('/lie', { output: z.object({ n: z.int() }), access: anyone() }),
    hang: post('/hang', { input: z.object({ id: z.string() }), access: anyone(), timeoutMs: 20_000 }),
    caller: get('/caller', {
      output: z.object({
        kind: z.string(),
        id: z.string(),
        scopes: z.array(z.string()),
        tenant: z.string().optional(),
      }),
      access: anyone(),
    }),
    members: get('/members', { output: z.object({ ok: z.boolean() }), access: signedIn() }),
    trace: get('/trace', { output: z.object({ traceId: z.string(), spanId: z.string() }), access: anyone() }),
    forget: del('/forget/{id}', { input: z.object({ id: z.string() }), access: anyone() }),
    turn: post('/turn', {
      input: z.object({ octets: bytes() }),
      output: bytes(),
      body: 'octets',
      access: anyone(),
      bodyMaxBytes: 16 * 1_048_576,
    }),
  },
})

/** What the callee saw. */
export interface ProbeRecord {
  /** Ids of `hang` calls that have begun, and of those whose signal aborted. */
  readonly hanging: Set<string>
  readonly released: Set<string>
  readonly logged: string[]
}

/** The secret that no reply may hold. */
export const secret = 'postgres://root:hunter2@db'

/** A service behind the transport that is tested. */
export function probeService(): ServiceHandle & ProbeRecord {
  const record: ProbeRecord = { hanging: new Set(), released: new Set(), logged: [] }
  const kept: number[][] = []
  const definition = implement(probe).service({
    handlers: {
      echo: async ({ input }) => input,
      say: async ({ input }) => ({ text: input.text, loud: input.loud ?? null }),
      async change({ input }) {
        const seen = [...input.list]
        input.list.push(1_000)
        const list = [...seen]
        kept.push(list)
        return { list }
      },
      async sell({ input, fail }) {
        if (input.sku === 'frozen') return fail('frozen', { detail: 'until Monday', retryAfterMs: 3_000 })
        if (input.quantity > 3) return fail('out_of_stock', { sku: input.sku, left: 3 })
        return { sold: input.quantity }
      },
      async crash() {
        throw new Error(secret)
      },
      lie: async () => ({ n: 'none' }) as never,
      async hang({ input, signal }) {
        record.hanging.add(input.id)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        record.released.add(input.id)
      },
      caller: async ({ caller }) => ({ ...caller, scopes: [...caller.scopes] }),
      members: async () => ({ ok: true }),
      trace: async ({ trace }) => ({ traceId: trace.traceId, spanId: trace.spanId }),
      async forget() {},
      turn: async ({ input }) => Buffer.from(input.octets.toReversed()).toString('base64'),
    },
  })
  const say: Log['error'] = (fields, message) => void record.logged.push(`${message} ${JSON.stringify(fields)}`)
  const handle = createServiceHandle(definition, {
    send: () => Promise.reject(new Error('the probe calls nobody')),
    mayCall: () => true,
    clock: systemClock,
    newId: () => crypto.randomUUID(),
    random: Math.random,
    log: { info: say, warn: say, error: say },
  })
  return Object.assign(handle, record)
}

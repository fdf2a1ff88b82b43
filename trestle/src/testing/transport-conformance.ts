import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isCallError } from '../call/call-error.ts'
import type { CallContext } from '../call/call-context.ts'
import type { Call, Handle, Reply, Transport } from '../call/call.ts'
import { anonymous, type Caller } from '../call/caller.ts'
import { createClient } from '../call/create-client.ts'
import type { Problem } from '../call/problem.ts'
import { idOf, workFromOutside } from '../call/once-work.ts'
import { systemClock } from '../std/clock.ts'
import { newTrace } from '../std/trace-context.ts'
import { probe, probeService, secret } from './transport-conformance-service.ts'

/** A transport with a callee at its other end. */
export interface TransportPair {
  readonly transport: Transport
  /** Closes what the pair opened besides the transport. */
  close(): Promise<void>
}

export interface TransportTraits {
  /** `false`: the callee is told nothing of who asks. */
  readonly carriesCaller: boolean
}

const from = 'tester'
const user: Caller = Object.freeze({ kind: 'user', id: 'u1', scopes: Object.freeze(['a:read', 'b']), tenant: 't1' })

const clientOf = (send: Handle) => createClient(probe, { from, send, clock: systemClock })
const context = (more: Partial<CallContext> = {}): CallContext => ({ caller: user, trace: newTrace(), ...more })
const rawCall = (more: Partial<Call> = {}): Call => ({
  contract: probe.id,
  operation: 'echo',
  input: { kind: 'value', value: { value: 1 } },
  want: 'bytes',
  deadlineMs: systemClock.monotonic() + 10_000,
  signal: new AbortController().signal,
  caller: user,
  from,
  trace: newTrace(),
  key: undefined,
  ...more,
})

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonic() + 10_000
  while (!condition()) {
    if (systemClock.monotonic() > endMs) throw new Error('the condition did not come true within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/**
 * What every transport must do, seen through the typed client; failures are compared with those of a call to the
 * service's handle itself.
 * @param makePair opens a transport whose other end asks `handle`; calls come from the service `tester`
 */
export function transportConformance(
  name: string,
  makePair: (handle: Handle) => Promise<TransportPair>,
  traits: TransportTraits = { carriesCaller: true },
): void {
  describe(`the ${name} transport`, () => {
    const service = probeService()
    let pair: TransportPair
    let arrived: Call | undefined
    beforeAll(async () => {
      pair = await makePair((call) => {
        arrived = call
        return service.handle(call)
      })
    })
    afterAll(async () => {
      await pair.transport.close()
      await pair.close()
    })

    const direct = clientOf(service.handle)
    const through = clientOf((call) => pair.transport.send(call))
    const ask = (more: Partial<CallContext> = {}) => through(context(more))

    /** Both ways of asking, in the same trace, fail with the same problem. */
    async function sameProblem(run: (client: ReturnType<typeof direct>) => Promise<unknown>): Promise<Problem> {
      const same = context()
      const [here, there] = [await problemOf(run(direct(same))), await problemOf(run(through(same)))]
      expect(there).toEqual(here)
      expect(there.traceId).toBe(same.trace.traceId)
      return there
    }

    it('carries every JSON value unchanged', async () => {
      const values = [null, true, 0, -1.5e-300, 9_007_199_254_740_991, '', 'ä€😀\u0001\u2028"\\', [], {}]
      const nested = [1, [2, [3, { a: null }]], { '': 1, constructor: { x: [false] }, ключ: 'значение' }]
      for (const value of [...values, nested]) expect(await ask().echo({ value })).toEqual({ value })
    })

    it('carries text in paths and queries', async () => {
      const [text, loud] = ['a b?#%25ä😀&=+', 'a/b ?#%2F ä😀&=+;']
      expect(await ask().say({ text, loud })).toEqual({ text, loud })
      expect(await ask().say({ text: 'x' })).toEqual({ text: 'x', loud: null })
    })

    it('carries a body of 5 MiB there and back', async () => {
      const value = 'ä'.repeat(2.5 * 1_048_576)
      const answer = await ask().echo({ value })
      expect(answer.value === value).toBe(true)
    })

    it('carries bytes there and back', async () => {
      const octets = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)
      const turned = await ask().turn({ octets: Buffer.from(octets).toString('base64') })
      expect(Buffer.from(turned).equals(octets.toReversed())).toBe(true)
    })

    it('carries an answer without a body', async () => {
      expect(await ask().forget({ id: '1' })).toBeUndefined()
      const reply = await pair.transport.send(
        rawCall({ operation: 'forget', input: { kind: 'value', value: { id: '1' } } }),
      )
      expect(reply).toMatchObject({ ok: true, status: 204, body: { kind: 'empty' } })
    })

    it('carries the key, and which earlier work is undone', async () => {
      const cancels = 'checkout é 1'
      await pair.transport.send(rawCall({ key: 'k-1', cancels }))
      expect(arrived?.key).toBe('k-1')
      // Where nobody says who asks, the work is one of the outside.
      const meant = traits.carriesCaller ? cancels : workFromOutside(`~${idOf(cancels)}`)
      expect(arrived?.cancels === undefined ? undefined : idOf(arrived.cancels)).toBe(idOf(meant))
      await pair.transport.send(rawCall())
      expect([arrived?.key, arrived?.cancels]).toEqual([undefined, undefined])
    })

    it('carries the status of a reply', async () => {
      const input = { kind: 'value', value: { list: [] } } as const
      expect(await pair.transport.send(rawCall({ operation: 'change', input }))).toMatchObject({
        ok: true,
        status: 201,
      })
    })

    it('gives the bytes of a reply to who wants bytes', async () => {
      const reply = await pair.transport.send(rawCall())
      expect(reply).toMatchObject({ ok: true, status: 200, body: { kind: 'bytes', contentType: 'application/json' } })
      expect(textOf(reply)).toBe('{"value":1}')
    })

    it('passes a request from the edge on, not parsed, bytes in and bytes out', async () => {
      const bound = { params: {}, query: '', headers: {} }
      const octets = Uint8Array.from([0, 255, 10, 13, 0])
      const raw = { kind: 'rest', ...bound, contentType: 'application/octet-stream', body: octets } as const
      const turned = await pair.transport.send(rawCall({ operation: 'turn', input: raw }))
      expect(turned).toMatchObject({ ok: true, body: { kind: 'bytes', contentType: 'application/octet-stream' } })
      expect(bytesOf(turned)).toEqual(Buffer.from(octets.toReversed()))
      const body = Buffer.from('{"value":{"b":1,"a":[ ]}}')
      const json = { kind: 'rest', ...bound, contentType: 'application/json', body } as const
      const echoed = await pair.transport.send(rawCall({ input: json }))
      expect(textOf(echoed)).toBe('{"value":{"b":1,"a":[]}}')
      const said = {
        kind: 'rest',
        params: { text: 'a b' },
        query: 'loud=%C3%A4&x=1',
        headers: {},
        contentType: undefined,
      } as const
      const spoken = await pair.transport.send(rawCall({ operation: 'say', input: { ...said, body: undefined } }))
      expect(JSON.parse(textOf(spoken))).toEqual({ text: 'a b', loud: 'ä' })
    })

    it('carries a declared error with its details', async () => {
      const found = await sameProblem((client) => client.sell({ sku: 's', quantity: 4 }))
      expect(found).toMatchObject({ code: 'out_of_stock', status: 409, declared: true, details: { sku: 's', left: 3 } })
    })

    it('carries a declared error without details', async () => {
      const found = await sameProblem((client) => client.sell({ sku: 'frozen', quantity: 1 }))
      expect(found).toMatchObject({ code: 'frozen', status: 423, title: 'Sales are frozen', declared: true })
      expect(found).toMatchObject({ detail: 'until Monday', retryAfterMs: 3_000 })
    })

    it('says the same faults of an invalid input', async () => {
      const found = await sameProblem((client) => client.sell({ sku: 's', quantity: 0, note: 'too long' }))
      expect(found).toMatchObject({ code: 'invalid_input', declared: false })
      expect(found.errors?.map((fault) => fault.pointer).toSorted()).toEqual(['/note', '/quantity'])
    })

    it('says internal for an exception, with the trace id and nothing of the cause, which is logged once', async () => {
      const { trace } = context()
      const found = await problemOf(ask({ trace }).crash({}))
      expect(found).toMatchObject({ code: 'internal', status: 500, declared: false, traceId: trace.traceId })
      expect(JSON.stringify(found)).not.toContain(secret)
      expect(service.logged.filter((line) => line.includes(trace.traceId))).toHaveLength(1)
      await sameProblem((client) => client.crash({}))
    })

    it('says internal for a reply that the contract does not allow', async () => {
      expect(await sameProblem((client) => client.lie({}))).toMatchObject({ code: 'internal' })
    })

    it('ends at the deadline when the callee hangs, and the callee is told', async () => {
      const problem = await problemOf(ask().hang({ id: 'late' }, { timeoutMs: 250 }))
      expect(problem).toMatchObject({ code: 'deadline_exceeded', status: 504, instance: 'probe.hang' })
      await until(() => service.released.has('late'))
      await sameProblem((client) => client.hang({ id: 'late' }, { timeoutMs: 20 }))
    })

    it('tells the callee that the caller went away', async () => {
      const abort = new AbortController()
      const asked = problemOf(ask().hang({ id: 'left' }, { signal: abort.signal }))
      await until(() => service.hanging.has('left'))
      abort.abort()
      expect(await asked).toMatchObject({ code: 'cancelled', status: 499 })
      await until(() => service.released.has('left'))
    })

    it('answers cancelled and deadline_exceeded itself when the call is over before it is sent', async () => {
      const late = await pair.transport.send(rawCall({ deadlineMs: systemClock.monotonic() - 1 }))
      expect(late).toMatchObject({ ok: false, problem: { code: 'deadline_exceeded' } })
      const gone = await pair.transport.send(rawCall({ signal: AbortSignal.abort() }))
      expect(gone).toMatchObject({ ok: false, problem: { code: 'cancelled' } })
    })

    it('continues the trace', async () => {
      const { trace } = context()
      const seen = await ask({ trace }).trace({})
      expect(seen.traceId).toBe(trace.traceId)
      expect(seen.spanId).not.toBe(trace.spanId)
    })

    it.runIf(traits.carriesCaller)('carries the caller with scopes and tenant', async () => {
      expect(await ask().caller({})).toEqual({ kind: 'user', id: 'u1', scopes: ['a:read', 'b'], tenant: 't1' })
      expect(await ask({ caller: anonymous }).caller({})).toEqual({ kind: 'anonymous', id: '', scopes: [] })
    })

    it.runIf(traits.carriesCaller)('lets the callee enforce access', async () => {
      expect(await ask().members({})).toEqual({ ok: true })
      expect(await problemOf(ask({ caller: anonymous }).members({}))).toMatchObject({ code: 'unauthenticated' })
    })

    it.skipIf(traits.carriesCaller)('tells the callee nothing of the caller', async () => {
      expect(await ask().caller({})).toEqual({ kind: 'anonymous', id: '', scopes: [] })
    })

    it('shares nothing: neither what was given nor what was got', async () => {
      const given = { list: [1, 2] }
      const asked = ask().change(given)
      given.list.push(3)
      const got = await asked
      expect(got).toEqual({ list: [1, 2] })
      expect(given).toEqual({ list: [1, 2, 3] })
      got.list.push(9)
      expect(await ask().change({ list: [1, 2] })).toEqual({ list: [1, 2] })
    })

    it('carries 1,000 calls at once, each with its own answer', async () => {
      const client = ask()
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => client.say({ text: `n${i}` })))
      expect(answers.map((answer) => answer.text)).toEqual(Array.from({ length: 1_000 }, (_, i) => `n${i}`))
    })

    it('refuses an operation that does not exist', async () => {
      const reply = await pair.transport.send(rawCall({ operation: 'toString' }))
      expect(reply).toMatchObject({ ok: false, problem: { code: 'not_implemented', declared: false } })
    })

    it('answers unavailable once it is closed', async () => {
      const other = await makePair(service.handle)
      expect((await other.transport.send(rawCall())).ok).toBe(true)
      await other.transport.close()
      await other.transport.close()
      const reply = await other.transport.send(rawCall())
      expect(reply).toMatchObject({ ok: false, problem: { code: 'unavailable', retryAfterMs: 1_000 } })
      await other.close()
    })
  })
}

async function problemOf(asked: Promise<unknown>): Promise<Problem> {
  try {
    return expect.fail(`succeeded with ${JSON.stringify(await asked)}`)
  } catch (error) {
    if (!isCallError(error)) throw error
    return error.problem
  }
}

function bytesOf(reply: Reply): Uint8Array {
  if (!reply.ok || reply.body.kind !== 'bytes') throw new Error(`no bytes: ${JSON.stringify(reply)}`)
  return Buffer.from(reply.body.bytes)
}

function textOf(reply: Reply): string {
  return Buffer.from(bytesOf(reply)).toString('utf8')
}

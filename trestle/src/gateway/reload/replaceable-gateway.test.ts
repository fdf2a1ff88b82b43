import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { headersFrom } from '../../http/header-list.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { gateway } from '../gateway.ts'
import type { Policy } from '../policy/policy.ts'
import { redirect } from '../redirect.ts'
import { createReplaceableGateway } from './replaceable-gateway.ts'
import { keptFrom } from './kept-state.ts'

const request: HttpRequest = {
  method: 'GET',
  target: '/x',
  headers: headersFrom(['Host', 'x.test']),
  body: {
    present: false,
    bytes: async () => new Uint8Array(),
    // oxlint-disable-next-line require-yield -- it has none
    async *stream() {},
  },
  remoteAddress: '127.0.0.1',
  encrypted: false,
  signal: new AbortController().signal,
}

type Answer = () => HttpResponse | Promise<HttpResponse>

/** A gateway in which a policy answers; its end is written down. */
function version(name: string, closed: string[], answer: Answer = () => ({ status: 200, headers: [], body: name })) {
  const answers: Policy = {
    kind: 'policy',
    name,
    stage: 'resilience',
    open(route, context) {
      if (route.target === 'page') return undefined
      context.defer(() => void closed.push(name))
      return () => answer()
    },
  }
  return gateway({ routes: [redirect('/x', '/y', { access: anyone() })], policies: [answers] })
}

async function opened(first: ReturnType<typeof version>) {
  const clock = virtualClock()
  const errors: unknown[] = []
  const made = await createReplaceableGateway(first, {
    send: () => Promise.reject(new Error('nobody is called')),
    clock,
    log: { info() {}, warn() {}, error: (fields) => void errors.push(fields) },
    metrics: createMetrics(),
    readiness: () => ({ ready: true, services: [] }),
    systemName: 'test',
  })
  return { made, clock, errors }
}

const chunk = new Uint8Array([1])

describe('a gateway that is replaced', () => {
  it('is closed at once when nothing runs in it, and answers no more', async () => {
    const closed: string[] = []
    const { made } = await opened(version('one', closed))
    expect((await made.handler(request)).body).toBe('one')
    await made.replace(version('two', closed))
    await expect.poll(() => closed).toEqual(['one'])
    expect((await made.handler(request)).body).toBe('two')
    await made.close()
    expect(closed).toEqual(['one', 'two'])
  })

  it('stays open until its last reply has ended: waited for, streamed, failed or left by the client', async () => {
    const closed: string[] = []
    const late = Promise.withResolvers<HttpResponse>()
    const replies: Answer[] = [
      () => late.promise,
      () => ({ status: 200, headers: [], body: stream(2) }),
      () => ({ status: 200, headers: [], body: stream(2) }),
      () => ({ status: 200, headers: [], body: stream(1, true) }),
    ]
    const { made } = await opened(version('one', closed, () => (replies.shift() as Answer)()))
    const waiting = made.handler(request)
    const bodies: AsyncIterator<Uint8Array>[] = []
    for (let n = 0; n < 3; n += 1) {
      const { body } = await made.handler(request)
      bodies.push((body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]())
    }
    await made.replace(version('two', closed))
    const [whole, left, failing] = bodies as [
      AsyncIterator<Uint8Array>,
      AsyncIterator<Uint8Array>,
      AsyncIterator<Uint8Array>,
    ]
    late.resolve({ status: 200, headers: [], body: 'late' })
    expect((await waiting).body).toBe('late')
    await left.next()
    await left.return?.()
    await failing.next()
    await expect(failing.next()).rejects.toThrow('cut')
    await whole.next()
    await whole.next()
    expect(closed).toEqual([])
    expect((await whole.next()).done).toBe(true)
    await expect.poll(() => closed).toEqual(['one'])
    await made.close()
  })

  it('is closed after a bounded time though a reply goes on', async () => {
    const closed: string[] = []
    const { made, clock } = await opened(version('one', closed, () => new Promise(() => {})))
    void made.handler(request)
    await made.replace(version('two', closed))
    await clock.advance(59_999)
    expect(closed).toEqual([])
    await clock.advance(1)
    await expect.poll(() => closed).toEqual(['one'])
    await made.close()
  })

  it('stays when the new one cannot be opened, whole or in part', async () => {
    const closed: string[] = []
    const { made } = await opened(version('one', closed))
    const broken: Policy = {
      kind: 'policy',
      name: 'broken',
      stage: 'limits',
      open: () => Promise.reject(new TypeError('no')),
    }
    const { routes, policies } = version('two', closed)
    await expect(made.replace(gateway({ routes, policies: [...policies, broken] }))).rejects.toThrow('no')
    expect((await made.handler(request)).body).toBe('one')
    expect(closed).not.toContain('one')
    await made.replace(version('three', closed))
    expect((await made.handler(request)).body).toBe('three')
    await made.close()
  })

  it('hands on what the next one asks for under the same key, and nothing else', () => {
    const first = keptFrom()
    const counter = first.keep('a', () => ({ n: 1 }))
    first.keep('b', () => 1)
    expect(first.keep('a', () => ({ n: 2 }))).toBe(counter)
    const second = keptFrom(first.state())
    expect(second.keep('a', () => ({ n: 3 }))).toBe(counter)
    const third = keptFrom(second.state())
    expect(third.keep('b', () => 2)).toBe(2)
  })
})

async function* stream(chunks: number, cut = false) {
  for (let n = 0; n < chunks; n += 1) yield chunk
  if (cut) throw new Error('cut')
}

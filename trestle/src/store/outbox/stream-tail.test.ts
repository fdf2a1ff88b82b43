import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'
import { comparePositions } from './feed-position.ts'
import type { FeedLook } from './feed-rows.ts'
import { StreamTail, type TailRequest } from './stream-tail.ts'

const at = (xid: number, seq = 0): EventPosition => ({ epoch: 1, xid: String(xid), seq: String(seq) })

function eventAt(xid: number, type = 'placed', payload = 'x'): EventEnvelope {
  const common = { id: `e${xid}`, stream: 'orders@1', version: 1, key: 'k', keyVersion: xid, occurredAt: 0 }
  return { ...common, type, payload, traceparent: '', position: at(xid, 1) }
}

/** A stream whose events and whose certainty a test sets. */
function stream() {
  const clock = virtualClock()
  const events: EventEnvelope[] = []
  const state = { certain: 100, held: false, looks: 0, failure: undefined as Error | undefined }
  const look = async (after: EventPosition, types: readonly string[] | undefined, max: number): Promise<FeedLook> => {
    state.looks += 1
    if (state.failure !== undefined) throw state.failure
    const certain = at(state.certain)
    const found = events
      .filter(({ position }) => comparePositions(position, after) > 0 && comparePositions(position, certain) < 0)
      .slice(0, max)
      .map((event) => (types?.includes(event.type) === false ? { ...event, payload: undefined } : event))
    return { events: found, more: found.length === max, certain, held: state.held, dropped: false, ahead: false }
  }
  const tail = new StreamTail({ look, clock })
  const read = (request: Partial<TailRequest> = {}) =>
    tail.read({ after: undefined, types: undefined, max: 10, waitMs: 0, signal: undefined, ...request })
  return { tail, read, clock, events, state }
}

describe('the end of a stream', () => {
  it('serves all who wait with one look', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read({ waitMs: 0 })
    const readers = Array.from({ length: 20 }, (_, index) =>
      read({ after: next, waitMs: 1_000, types: index % 2 === 0 ? ['placed'] : ['paid'] }),
    )
    await clock.advance(0)
    events.push(eventAt(100), eventAt(101, 'paid'))
    state.certain = 102
    const before = state.looks
    tail.published()
    const batches = await Promise.all(readers)
    expect(state.looks - before).toBe(1)
    expect(batches.map(({ events: got }) => got.map(({ payload }) => payload))).toEqual(
      readers.map((_, index) => (index % 2 === 0 ? ['x', undefined] : [undefined, 'x'])),
    )
    expect(batches.every((batch) => batch.caughtUp && comparePositions(batch.next, at(102)) === 0)).toBe(true)
  })

  it('gives those who are a little behind what it has seen, without another look', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read()
    const first = read({ after: next, waitMs: 1_000 })
    events.push(...Array.from({ length: 30 }, (_, index) => eventAt(100 + index)))
    state.certain = 200
    tail.published()
    await clock.advance(0)
    await first
    const before = state.looks
    const numbers: number[] = []
    for (let after = next, caughtUp = false; !caughtUp; ) {
      const batch = await read({ after, max: 7, waitMs: 1_000 })
      numbers.push(...batch.events.map(({ keyVersion }) => keyVersion))
      after = batch.next
      caughtUp = batch.caughtUp
    }
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => 100 + index))
    expect(state.looks).toBe(before)
  })

  it('looks by itself for what others have published, often at first, and not while nobody waits', async () => {
    const { read, clock, events, state } = stream()
    const { next } = await read()
    const reader = read({ after: next, waitMs: 10_000 })
    await clock.advance(5_000)
    expect(state.looks).toBeGreaterThan(15)
    expect(state.looks).toBeLessThan(40)
    events.push(eventAt(100))
    state.certain = 101
    await clock.advance(250)
    expect((await reader).events).toHaveLength(1)
    const before = state.looks
    await clock.advance(60_000)
    expect(state.looks).toBe(before)
    expect(clock.pending()).toBe(0)
  })

  it('finds something for readers that wait shorter than it pauses', async () => {
    const { read, clock, events, state } = stream()
    let { next: after } = await read()
    for (let tries = 0; tries < 50; tries += 1) {
      const batch = read({ after, waitMs: 20 })
      await clock.advance(20)
      after = (await batch).next
    }
    events.push(eventAt(100))
    state.certain = 101
    const found: EventEnvelope[] = []
    for (let tries = 0; tries < 15; tries += 1) {
      const batch = read({ after, waitMs: 20 })
      await clock.advance(20)
      found.push(...(await batch).events)
      after = (await batch).next
    }
    expect(found).toHaveLength(1)
  })

  it('looks again within 64 ms while something is committed and held back', async () => {
    const { read, clock, events, state } = stream()
    const { next } = await read()
    events.push(eventAt(100))
    state.held = true
    const reader = read({ after: next, waitMs: 60_000 })
    await clock.advance(5_000)
    state.certain = 101
    const before = clock.monotonic()
    let done = 0
    void reader.then(() => (done = clock.monotonic()))
    await clock.advance(64)
    expect((await reader).events).toHaveLength(1)
    expect(done - before).toBeLessThanOrEqual(64)
  })

  it('lets go of a reader at its time, or when it gives up, with the place that it has reached', async () => {
    const { read, clock, state } = stream()
    const { next } = await read()
    const [timed, aborted] = [new AbortController(), AbortSignal.abort()]
    expect(await read({ after: next, waitMs: 1_000, signal: aborted })).toMatchObject({ events: [], caughtUp: true })
    const waiting = read({ after: next, waitMs: 1_000, signal: timed.signal })
    const patient = read({ after: next, waitMs: 1_000 })
    timed.abort()
    expect((await waiting).events).toEqual([])
    state.certain = 150
    await clock.advance(1_000)
    expect(await patient).toEqual({ events: [], next: at(150), caughtUp: true })
  })

  it('tells all who wait that the database cannot be read, and goes on when it can', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read()
    const readers = [read({ after: next, waitMs: 1_000 }), read({ after: next, waitMs: 1_000 })]
    state.failure = new Error('away')
    tail.published()
    for (const result of await Promise.allSettled(readers)) expect(result).toMatchObject({ status: 'rejected' })
    await expect(read({ after: next })).rejects.toThrow('away')
    state.failure = undefined
    events.push(eventAt(100))
    state.certain = 101
    expect((await read({ after: next })).events).toHaveLength(1)
    await clock.advance(0)
  })

  it('sends everybody away when it is closed', async () => {
    const { tail, read, clock } = stream()
    const { next } = await read()
    const waiting = read({ after: next, waitMs: 1_000 })
    tail.close()
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' })
    await expect(read({ after: next, waitMs: 1_000 })).rejects.toMatchObject({ code: 'unavailable' })
    expect(clock.pending()).toBe(0)
  })

  it('keeps only so much, and what it has let go is read from the database', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read()
    const big = 'x'.repeat(1 << 20)
    for (let xid = 100; xid < 110; xid += 1) {
      const reader = read({ after: at(xid), waitMs: 1_000 })
      events.push(eventAt(xid, 'placed', big))
      state.certain = xid + 1
      tail.published()
      await clock.advance(0)
      expect((await reader).events).toHaveLength(1)
    }
    const before = state.looks
    expect((await read({ after: next })).events).toHaveLength(10)
    expect(state.looks).toBe(before + 1)
    expect((await read({ after: at(109) })).events).toHaveLength(1)
    expect(state.looks).toBe(before + 1)
  })
})

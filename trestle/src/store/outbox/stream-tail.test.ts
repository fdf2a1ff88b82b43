import { describe, expect, it } from 'vitest'
import type { EventEnvelope } from './event-envelope.ts'
import { comparePositions } from './feed-position.ts'
import { at, eventAt, stream } from './fixtures/stream-fixture.ts'

/** One that has been followed up to transaction 200. */
async function followed() {
  const test = stream()
  test.events.push(eventAt(199))
  test.state.certain = 200
  const { next } = await test.read()
  test.events.pop()
  return { ...test, next }
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
    expect(batches.every((batch) => batch.caughtUp && comparePositions(batch.next, at(101, 1)) === 0)).toBe(true)
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
    expect(await patient).toEqual({ events: [], next, caughtUp: true })
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
    const big = 'x'.repeat(600 << 10)
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

  it('hands a burst that is larger than what is kept to those who wait, from its first event, with one look', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read()
    const readers = Array.from({ length: 3 }, () => read({ after: next, max: 1_000, waitMs: 1_000 }))
    await clock.advance(0)
    events.push(...Array.from({ length: 900 }, (_, index) => eventAt(100 + index, 'placed', 'x'.repeat(9_000))))
    state.certain = 1_000
    const before = state.looks
    tail.published()
    for (const batch of await Promise.all(readers)) {
      expect(batch.events.map(({ keyVersion }) => keyVersion)).toEqual(events.map(({ keyVersion }) => keyVersion))
    }
    expect(state.looks).toBe(before + 1)
  })

  it('lets go of what all have seen before what nobody has: large ones, then many small ones', async () => {
    const { tail, read, clock, events, state } = stream()
    let { next: after } = await read()
    const got: number[] = []
    for (const [count, size] of [
      [106, 39_000],
      [300, 10],
    ] as const) {
      const waiting = read({ after, max: 1_000, waitMs: 1_000 })
      await clock.advance(0)
      const first = 100 + events.length
      events.push(...Array.from({ length: count }, (_, index) => eventAt(first + index, 'placed', 'x'.repeat(size))))
      state.certain = 100 + events.length
      tail.published()
      const batch = await waiting
      got.push(...batch.events.map(({ keyVersion }) => keyVersion))
      after = batch.next
    }
    expect(got).toEqual(events.map(({ keyVersion }) => keyVersion))
  })

  it('gives one that asks while it looks, and again, everything although the first look is forgotten by then', async () => {
    const { tail, read, clock, events, state } = stream()
    const { next } = await read()
    state.lookMs = 10
    const big = 'x'.repeat(3 << 20)
    events.push(eventAt(100, 'placed', big))
    state.certain = 101
    const waiting = read({ after: next, waitMs: 1_000 })
    await clock.advance(5)
    const asking = read({ after: next })
    events.push(eventAt(101, 'placed', big))
    state.certain = 102
    tail.published()
    await clock.advance(50)
    expect((await waiting).events.map(({ keyVersion }) => keyVersion)).toEqual([100])
    expect((await asking).events.map(({ keyVersion }) => keyVersion)).toEqual([100, 101])
  })
})

describe('the end of a stream whose database was put back', () => {
  it('tells those who wait that their place is lost, at once', async () => {
    const { read, clock, state, next } = await followed()
    const readers = [read({ after: next, waitMs: 10_000 }), read({ after: next, waitMs: 10_000 })]
    await clock.advance(0)
    Object.assign(state, { certain: 150, nextXid: 150 })
    const told = Promise.allSettled(readers)
    await clock.advance(250)
    for (const result of await told) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'feed_position_lost' } })
    }
  })

  it('tells one that does not wait, too, and shows everything to those whose place it still has', async () => {
    const { tail, read, clock, events, state, next } = await followed()
    Object.assign(state, { certain: 150, nextXid: 150 })
    await expect(read({ after: next })).rejects.toMatchObject({ code: 'feed_position_lost' })
    const { next: after } = await read({ after: at(140) })
    const waiting = read({ after, waitMs: 10_000 })
    await clock.advance(0)
    events.push(eventAt(150))
    Object.assign(state, { certain: 151, nextXid: 151 })
    tail.published()
    expect((await waiting).events).toHaveLength(1)
    await expect(read({ after: next, waitMs: 10_000 })).rejects.toMatchObject({ code: 'feed_position_lost' })
  })

  it('tells two that ask while it looks', async () => {
    const { read, clock, state, next } = await followed()
    Object.assign(state, { certain: 150, nextXid: 150, lookMs: 10 })
    const told = Promise.allSettled([
      read({ after: next, waitMs: 10_000 }),
      read({ after: next }),
      read({ after: next }),
    ])
    await clock.advance(100)
    for (const result of await told) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'feed_position_lost' } })
    }
  })
})

describe('readers of one stream that begin in different places', () => {
  it('share one look, wherever each of them stands behind the last event', async () => {
    const { tail, read, clock, events, state } = stream()
    events.push(eventAt(100))
    state.certain = 150
    const latest = read({ after: at(150), waitMs: 10_000 })
    await clock.advance(0)
    const following = read({ after: at(100, 1), waitMs: 10_000 })
    await clock.advance(0)
    state.certain = 160
    const newest = read({ after: at(160), waitMs: 10_000 })
    await clock.advance(2_000)
    events.push(eventAt(160))
    state.certain = 161
    const before = state.looks
    tail.published()
    for (const { events: got } of await Promise.all([latest, following, newest])) expect(got).toHaveLength(1)
    expect(state.looks).toBe(before + 1)
    expect(before).toBeLessThan(20)
  })
})

describe('the end of a stream whose database has crashed', () => {
  it('has what was published under numbers that others had before, and lost', async () => {
    const { tail, read, clock, events, state } = stream()
    events.push(eventAt(100))
    state.certain = 101
    let { next: after } = await read()
    // Transactions that waited for no disk: a reader sees that they have ended, and the server forgets them.
    state.certain = 150
    const idle = read({ after, waitMs: 1_000 })
    await clock.advance(1_000)
    after = (await idle).next
    const waiting = read({ after, waitMs: 1_000 })
    await clock.advance(250)
    events.push(eventAt(101))
    state.certain = 102
    tail.published()
    await clock.advance(1_000)
    expect((await waiting).events.map(({ keyVersion }) => keyVersion)).toEqual([101])
    expect((await read({ after })).events.map(({ keyVersion }) => keyVersion)).toEqual([101])
  })
})

describe('the end of a stream that nobody has followed for long', () => {
  it('tells one that comes back that what it had not read is no longer kept', async () => {
    const { read, clock, events, state } = stream()
    const { next } = await read()
    events.push(eventAt(400))
    Object.assign(state, { certain: 500, dropped: 300 })
    const told = Promise.allSettled([read({ after: next, waitMs: 10_000 })])
    await clock.advance(250)
    expect(await told).toMatchObject([{ status: 'rejected', reason: { code: 'feed_position_lost' } }])
    await expect(read({ after: next })).rejects.toMatchObject({ code: 'feed_position_lost' })
  })

  it('goes on for one that has read elsewhere what is no longer kept', async () => {
    const { read, clock, events, state } = stream()
    await read()
    events.push(eventAt(400))
    Object.assign(state, { certain: 500, dropped: 300 })
    const waiting = read({ after: at(350), waitMs: 10_000 })
    await clock.advance(250)
    expect((await waiting).events).toHaveLength(1)
  })
})

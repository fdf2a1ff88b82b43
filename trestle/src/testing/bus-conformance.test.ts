import { z } from 'zod'
import { contract, event } from '../contract/index.ts'
import type { Call, Handle } from '../call/call.ts'
import { platformProblem } from '../call/problem.ts'
import { localBus } from '../bus/local/index.ts'
import { systemClock } from '../std/clock.ts'
import type { Bus } from '../store/outbox/bus.ts'
import { startOutboxFixture } from '../store/outbox/fixtures/outbox-fixture.ts'
import { busConformance, type BusUnderTest, type FeedUnderTest } from './bus-conformance.ts'

const silent = { info() {}, warn() {}, error() {} }

/** Processes that call each other; what crosses is written as JSON and read again. */
function mesh() {
  const handles = new Map<string, Handle>()
  const send: Handle = async (call) => {
    const handle = handles.get(call.contract)
    if (handle === undefined) return { ok: false, problem: platformProblem('unavailable') }
    return await handle({ ...call, input: structuredClone(call.input) } as Call)
  }
  const bus = (localReads: 'direct' | 'link' | 'link-twice') =>
    localBus({
      send,
      open: (contracts, handle) => contracts.forEach((id) => handles.set(id, handle)),
      shut: (contracts) => contracts.forEach((id) => handles.delete(id)),
      mayRead: (from) => from === 'consumer',
      clock: systemClock,
      random: Math.random,
      log: silent,
      localReads,
    })
  return bus
}

function embedded(
  processes: 'one' | 'many',
  localReads: 'direct' | 'link-twice' = 'direct',
): () => Promise<BusUnderTest> {
  return async () => {
    const make = mesh()
    const only = make(localReads)
    const all: Bus[] = [only]
    return {
      async connect() {
        if (processes === 'one') return only
        const bus = make(localReads)
        all.push(bus)
        return bus
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(all.map((bus) => bus.close()))
      },
    }
  }
}

const Note = z.object({ key: z.string(), note: z.string() })
const { events } = contract('conformance', {
  version: '1.0.0',
  operations: {},
  events: { moved: event(Note, { key: 'key' }), seen: event(Note, { key: 'key' }) },
})

/** A database of its own. */
async function outboxFeed(): Promise<FeedUnderTest> {
  const fixture = await startOutboxFixture()
  const store = await fixture.open()
  return {
    feed: store.feed,
    publish: (keys, note = '', type = 'moved') =>
      store.transaction(async (tx) => {
        for (const key of keys) tx.publish(events[type], { key, note })
      }),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

busConformance({ name: 'embedded, in one process', make: embedded('one') })
busConformance({ name: 'embedded, between processes', make: embedded('many') })
busConformance({ name: 'embedded, with each event delivered twice', make: embedded('one', 'link-twice') })
busConformance({
  name: 'embedded, in one process, with a database',
  make: embedded('one'),
  feed: outboxFeed,
  timeoutMs: 60_000,
})

import type { Call, Handle } from '../call/call.ts'
import { platformProblem } from '../call/problem.ts'
import { localBus } from '../bus/local/index.ts'
import { systemClock } from '../std/clock.ts'
import type { Bus } from '../store/outbox/bus.ts'
import { busConformance, type BusUnderTest } from './bus-conformance.ts'

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
      open: (contracts, handle) => contracts.forEach((contract) => handles.set(contract, handle)),
      shut: (contracts) => contracts.forEach((contract) => handles.delete(contract)),
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

busConformance({ name: 'embedded, in one process', make: embedded('one') })
busConformance({ name: 'embedded, between processes', make: embedded('many') })
busConformance({ name: 'embedded, with each event delivered twice', make: embedded('one', 'link-twice') })

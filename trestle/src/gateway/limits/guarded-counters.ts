import { BoundedMap } from '../../std/bounded-map.ts'
import type { Clock } from '../../std/clock.ts'
import { refused } from '../reply/problem-response.ts'
import { Circuit } from './circuit.ts'
import type { Counters, Demand, SharedCounters, Taken } from './counters.ts'
import { isTooMuch } from './gcra.ts'
import type { CellTable } from './process-counters.ts'
import { processCounters } from './process-counters.ts'

export interface GuardedCountersDeps {
  readonly clock: Clock
  /** Until an answer counts as none. */
  readonly timeoutMs: number
  /** Steps that may be under way; beyond, a request goes on as if the store were down. Default 10,000. */
  readonly underWayMax?: number
  readonly onChange: (state: 'open' | 'closed', cause: unknown) => void
}

/** How many refusals of one limit are remembered. */
const refusalsMax = 10_000
const closedRetryMs = 1_000

/** A debt that refused, and when at the latest it was so. */
interface Refusal {
  readonly debtMs: number
  readonly atMs: number
}

/**
 * Counters outside of this process that may fail: a step takes `timeoutMs` at most, after some failures in a row nobody asks
 * until they answer again, and then each limit says what holds: `whenStoreDown`. Whom they refused is refused here
 * until its debt is over, so that a flood does not reach them.
 */
export function guardedCounters(
  store: SharedCounters,
  deps: GuardedCountersDeps,
): Counters & { close(): Promise<void> } {
  const { clock, timeoutMs, onChange, underWayMax = 10_000 } = deps
  const circuit = new Circuit({ clock, onChange, probe: () => within(clock, timeoutMs, store.ping()) })
  const refusals = new WeakMap<CellTable, BoundedMap<string, Refusal>>()
  let underWay = 0

  async function ask(demands: readonly Demand[]): Promise<Taken> {
    const atMs = clock.monotonic()
    underWay += 1
    try {
      const taken = await within(clock, timeoutMs, store.take(demands))
      circuit.succeeded()
      if (!taken.allowed) remember(demands, taken, atMs)
      return taken
    } catch (error) {
      circuit.failed(error)
      return withoutStore(demands)
    } finally {
      underWay -= 1
    }
  }

  function remember(demands: readonly Demand[], { debtsMs }: Taken, atMs: number): void {
    demands.forEach(({ limit, key, cost }, at) => {
      const debtMs = debtsMs[at] ?? 0
      if (!isTooMuch(limit.law, debtMs + cost * limit.law.emissionMs)) return
      const ofLimit = refusals.get(limit.cells) ?? new BoundedMap<string, Refusal>(refusalsMax)
      ofLimit.set(key, { debtMs, atMs })
      refusals.set(limit.cells, ofLimit)
    })
  }

  function stillRefused(demands: readonly Demand[]): Taken | undefined {
    let debtsMs: (number | undefined)[] | undefined
    for (let at = 0; at < demands.length; at += 1) {
      const { limit, key, cost } = demands[at] as Demand
      const refusal = refusals.get(limit.cells)?.get(key)
      if (refusal === undefined) continue
      const debtMs = Math.max(0, refusal.debtMs - (clock.monotonic() - refusal.atMs))
      if (isTooMuch(limit.law, debtMs + cost * limit.law.emissionMs)) {
        debtsMs ??= demands.map(() => undefined)
        debtsMs[at] = debtMs
      } else refusals.get(limit.cells)?.delete(key)
    }
    return debtsMs === undefined ? undefined : { allowed: false, debtsMs }
  }

  return {
    take(demands) {
      const known = stillRefused(demands)
      if (known !== undefined) return known
      return circuit.isOpen || underWay >= underWayMax ? withoutStore(demands) : ask(demands)
    },
    async close() {
      circuit.close()
      await store.close()
    },
  }
}

/** @throws Refused 503 when one of the limits is closed without its store */
function withoutStore(demands: readonly Demand[]): Taken {
  const closed = demands.find(({ limit }) => limit.whenStoreDown === 'closed')
  if (closed !== undefined) {
    const detail = `The limit ${closed.limit.name} cannot be counted at the moment`
    throw refused('unavailable', { detail, retryAfterMs: closedRetryMs })
  }
  const local = demands.filter(({ limit }) => limit.whenStoreDown === 'local')
  const { allowed, debtsMs } = processCounters.take(local)
  return { allowed, debtsMs: demands.map((demand) => debtsMs[local.indexOf(demand)]) }
}

/** @throws Error when nothing has come in time; what comes later is let go */
function within<T>(clock: Clock, timeoutMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    answer.then(resolve, reject).finally(() => timer.cancel())
  })
}

import type { Handle } from '../call/call.ts'
import type { Clock } from '../std/clock.ts'
import type { WatchableStore } from '../store/store.ts'
import type { Log } from './service.ts'

/** What the host gives to a service that it runs. */
export interface ServiceDeps {
  /** Required when the definition has a store. */
  readonly store?: WatchableStore<unknown>
  /** Where the handlers' calls go. */
  readonly send: Handle
  /** Whether a service declared in its `uses` that it calls this contract (`name@major`). */
  readonly mayCall: (from: string, contract: string) => boolean
  readonly clock: Clock
  /** A UUID version 7. */
  readonly newId: () => string
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log: Log
  /** Called once for every call that was answered. Must not throw. */
  readonly observe?: (observation: Observation) => void
}

/** One answered call, for the metrics. */
export interface Observation {
  readonly service: string
  /** `name@major` */
  readonly contract: string
  readonly operation: string
  /** `ok`, or the code of the problem. */
  readonly code: string
  readonly durationMs: number
}

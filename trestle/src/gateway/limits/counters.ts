import type { Limit } from './limit.ts'

/** Where the rate limits of a gateway are counted. */
export type CountersSpec = 'process' | 'shared' | RedisCountersSpec

/** Counters in a Redis, as data: see `redis`. */
export interface RedisCountersSpec {
  readonly kind: 'redis'
  readonly url: string
  readonly timeoutMs: number
  readonly prefix: string
}

/** What one request asks of one limit. */
export interface Demand {
  readonly limit: Limit
  readonly key: string
  readonly cost: number
}

/** What became of the demands of a request. */
export interface Taken {
  /** All or none are taken. */
  readonly allowed: boolean
  /** The debt of each counter as it stands now, in the order of the demands; `undefined`: it is not known, and did not matter. */
  readonly debtsMs: readonly (number | undefined)[]
}

/** Where limits are counted. */
export interface Counters {
  /** Takes what all demands ask, or nothing of any. A promise rejects when the counters cannot be reached. */
  take(demands: readonly Demand[]): Taken | Promise<Taken>
}

/** Counters outside of this process. */
export interface SharedCounters {
  /** Rejects when the store cannot be reached or does not answer. */
  take(demands: readonly Demand[]): Promise<Taken>
  /** Whether the store answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

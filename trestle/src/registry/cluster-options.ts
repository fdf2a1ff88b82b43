import type { Clock } from '../std/clock.ts'

/** Something that operators want to find in the log. */
export type ClusterEvent =
  | { readonly kind: 'ejected'; readonly id: string; readonly reason: string; readonly forMs: number }
  | { readonly kind: 'returned'; readonly id: string }
  | { readonly kind: 'unhealthy'; readonly id: string; readonly reason: string }
  | { readonly kind: 'healthy'; readonly id: string }
  | { readonly kind: 'breaker'; readonly state: 'closed' | 'open' | 'half-open' }

/** Balancing by latency. Off: only by the number of requests in flight. */
export interface LatencyOptions {
  /** How long a peak is remembered: after this time 37 % of it are left. Default 10,000. */
  readonly decayMs?: number
  /** Differences below this are noise. Default 1. */
  readonly floorMs?: number
}

/** How many requests may be sent to no avail before nothing is sent for a while. */
export interface BreakerOptions {
  /** Share of the failures at which it opens. Default 0.5. */
  readonly failureRatio?: number
  /** Below this number of requests in 10 seconds it never opens. Default 20. */
  readonly volumeMin?: number
  /** How long it stays open the first time; twice as long after each failed probe. Default 1,000. */
  readonly openMs?: number
  /** Default 30,000. */
  readonly openMaxMs?: number
  /** Requests that are let through at once when it is half-open, and successes that close it. Default 3. */
  readonly probes?: number
}

/** When a member is left alone because of how its requests end. */
export interface EjectionOptions {
  /** Failures in a row. Default 5. */
  readonly consecutiveFailures?: number
  /** By how much the share of its failures in 10 seconds may be above that of the others. Default 0.3. */
  readonly failureRatioAbove?: number
  /** Below this number of requests in 10 seconds, of its own and of the others, shares are not compared. Default 20. */
  readonly volumeMin?: number
  /** How long it is left alone the first time; twice as long each time after that. Default 2,000. */
  readonly baseMs?: number
  /** Default 120,000. */
  readonly maxMs?: number
  /** The same where it could not be reached, for which one time is enough. Default 200. */
  readonly unreachableBaseMs?: number
  /** Default 5,000. */
  readonly unreachableMaxMs?: number
  /** A member that did well for so long is ejected for the base time again. Default 60,000. */
  readonly forgetMs?: number
  /** Successes after which a member on probation has its full share again. Default 10. */
  readonly probationSuccesses?: number
}

/** How many requests may run at once, learnt from the latency. */
export interface ConcurrencyOptions {
  /** Never less: a quiet cluster never refuses. Default 64. */
  readonly limitMin?: number
  /** Default 10,000. */
  readonly limitMax?: number
  /** Before anything is known. Default 1,000. */
  readonly limitInitial?: number
  /** How often the limit is looked at, at most. Default 100. */
  readonly windowMs?: number
  /** Latency that is still no queue, as a multiple of what is usual. Default 2. */
  readonly tolerance?: number
  /** Latency above the usual that is still no queue, however quick the usual is. Default 5. */
  readonly slackMs?: number
  /** What a refused caller is told to wait. Default 1,000. */
  readonly retryAfterMs?: number
}

/** What a cluster does to stay well; `false` switches a part off. */
export interface ClusterFeatures {
  readonly latency?: LatencyOptions | false
  readonly breaker?: BreakerOptions | false
  readonly ejection?: EjectionOptions | false
  readonly concurrency?: ConcurrencyOptions | false
  /** Retries per request, and per second besides. Default 0.2 and 10. `false`: none at all. */
  readonly retries?: { readonly ratio?: number; readonly perSecond?: number } | false
}

export interface ClusterOptions<T> extends ClusterFeatures {
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
  /** Whether a member wants requests now. One that does not is asked only when there is no other. */
  readonly isReady?: (target: T) => boolean
  /** Told what operators want to know; must not throw. */
  readonly onEvent?: (event: ClusterEvent) => void
}

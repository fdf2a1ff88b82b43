import type { ClusterReport } from '../call/gateway-report.ts'

/** How an attempt ended, as far as the health of the one who was asked is concerned. */
export type Outcome =
  /** It answered; also with an error that is the caller's. */
  | 'ok'
  /** It answered that it failed (5xx other than what it said about its load), reset, or did not answer in time. */
  | 'failed'
  /** It answered at once that it failed: counts when members are compared, but is no reason to stop asking. */
  | 'faulty'
  /** Nothing was sent: no connection. */
  | 'unreachable'
  /** It said that it has too much to do (503, 429). */
  | 'overloaded'
  /** The caller went away: says nothing of the one who was asked. */
  | 'abandoned'

/** One that can be asked: an instance of a service, a target of an upstream. */
export interface Member<T> {
  /** Unique within the cluster, and the same as long as it is the same one. */
  readonly id: string
  readonly target: T
  /** Share of the traffic relative to the others; default 1, 0 gets none. */
  readonly weight?: number
}

/** A request that one member has been chosen for. */
export interface Attempt<T> {
  readonly id: string
  readonly target: T
  /** Must be called once; what comes after is ignored. Latency is measured from the choice to here. */
  end(outcome: Outcome): void
  /** Who is waited for: a client that is slow to send its request is no latency. From the choice on it is the member. */
  waitFor(whom: 'client' | 'member'): void
}

/** Why nobody was chosen. */
export interface NoAttempt {
  readonly refused:
    | 'no_member'
    /** The breaker is open: asking again before `retryAfterMs` is of no use. */
    | 'breaker_open'
    /** As many are running as the cluster can bear. */
    | 'overloaded'
  readonly retryAfterMs: number
}

/** How a cluster stands, for operators. */
export type ClusterState = Omit<ClusterReport, 'kind' | 'name'>

/** Members that can answer the same: chosen by how they do, left alone when they do not. */
export interface Cluster<T> {
  replace(members: readonly Member<T>[]): void
  /**
   * Chooses one.
   * @param tried ids that have had this request already
   */
  begin(tried?: readonly string[]): Attempt<T> | NoAttempt
  /** Takes one retry from the budget; `false`: there is none left. */
  mayRetry(): boolean
  /** What an active check found. */
  checked(id: string, healthy: boolean, reason?: string): void
  state(): ClusterState
}

/** An instance as people see it. */
export interface SagaSummary {
  readonly id: string
  readonly saga: string
  readonly key: string
  readonly version: number
  readonly state: 'expected' | 'running' | 'waiting' | 'undoing' | 'stuck' | 'done' | 'undone'
  /** What it waits for, in words: an event, a step that is tried again, people, another version. */
  readonly waitsFor: string | undefined
  /** Since when, milliseconds since 1970. */
  readonly since: number | undefined
  /** When that ends at the latest, if it does. */
  readonly until: number | undefined
  readonly tries: number
  readonly lastError: string | undefined
  readonly failure: string | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
}

/** A line of an instance's timeline. */
export interface SagaLine {
  readonly n: number
  readonly step: string | undefined
  readonly action: string
  readonly outcome: string
  readonly tries: number
  readonly beganAt: number | undefined
  readonly at: number
  /** JSON. */
  readonly result: string | undefined
  readonly error: string | undefined
}

/** Which instances are asked for. */
export interface SagaFilter {
  readonly saga?: string
  readonly key?: string
  /** Default: those that have not ended. */
  readonly state?: 'unfinished' | 'stuck' | 'ended' | 'all'
  /** 1..500; default 100. */
  readonly limit?: number
  /** Those that started before; default: from the newest. */
  readonly before?: number
}

/** What people say about a stuck instance. `skip`: its step, or the undo of it, counts as done. `undone`: all of it does. */
export type Resolution = 'skip' | 'undone' | 'continue'

/** `not_waiting`: it has not begun or has ended, or somebody works on it at this moment. */
export type Retried = 'retried' | 'not_waiting'

/** `other_version`: the code that runs knows nothing of the version under which it began. */
export type Resolved = 'resolved' | 'not_stuck' | 'other_version'

/** What an operator can do about the sagas of one service. */
export interface SagaOperations {
  list(filter?: SagaFilter): Promise<readonly SagaSummary[]>
  show(id: string): Promise<{ readonly summary: SagaSummary; readonly timeline: readonly SagaLine[] } | undefined>
  /** Makes it try again now. `undefined`: there is no such instance. */
  retry(id: string): Promise<Retried | undefined>
  /** Undoes it, if it is before its pivot. `undefined`: there is no such instance. */
  cancel(id: string, reason: string): Promise<'undoing' | 'past_pivot' | 'ended' | 'before_start' | undefined>
  /** Goes on with a stuck one as people decide; who did it and why stands in its timeline. `undefined`: there is no such instance. */
  resolve(id: string, resolution: Resolution, reason: string): Promise<Resolved | undefined>
}

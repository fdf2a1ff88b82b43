/** One child as data: what to start, when to start it again, how long it may take to go. Source: OTP `supervisor`. */
export interface ChildSpec {
  /** Unique within its supervisor. */
  readonly id: string
  /** Resolves when the child is ready to work. `signal` aborts when the child is to stop before that. */
  start(signal: AbortSignal): Promise<RunningChild>
  /** `permanent`: whatever ended it; `transient`: only after a crash; `temporary`: never. */
  readonly restart: 'permanent' | 'transient' | 'temporary'
  /** What does not stop within this time is killed. */
  readonly shutdownMs: number
}

/** A child that has started. */
export interface RunningChild {
  readonly pid?: number
  /** Resolves, never rejects, when it has gone. */
  readonly exited: Promise<ChildExit>
  /** Asks it to finish what it does and to go. */
  stop(): void
  /** Ends it now. `reason` is what the exit will say. */
  kill(reason?: string): void
}

export interface ChildExit {
  /** `false`: it crashed. */
  readonly normal: boolean
  /** One line for people. */
  readonly reason: string
}

/** `waiting`: crashed, and starts again after a wait. `failed`: given up, until it is started by hand. */
export type ChildState = 'stopped' | 'starting' | 'running' | 'waiting' | 'stopping' | 'failed'

export interface ChildStatus {
  readonly id: string
  readonly state: ChildState
  readonly pid: number | undefined
  /** How often it was started again by the supervisor. */
  readonly restarts: number
  /** Milliseconds since the child became ready; `undefined` when it does not run. */
  readonly uptimeMs: number | undefined
  /** Why it last went, or could not start. */
  readonly reason: string | undefined
}

/** What the supervisor did, and why: every one is worth a line in the log. */
export type SupervisorEvent =
  | { readonly kind: 'started'; readonly id: string; readonly pid: number | undefined; readonly tookMs: number }
  | { readonly kind: 'exited'; readonly id: string; readonly reason: string }
  | { readonly kind: 'restarting'; readonly id: string; readonly reason: string; readonly waitMs: number }
  | { readonly kind: 'gave_up'; readonly id: string; readonly reason: string; readonly restarts: number }
  | { readonly kind: 'killed'; readonly id: string; readonly reason: string }
  | { readonly kind: 'stopped'; readonly id: string }

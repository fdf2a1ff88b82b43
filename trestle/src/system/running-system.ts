import type { Handle } from '../call/call.ts'
import type { Operator } from '../call/operator.ts'

/** A system that runs: what the one who started it holds. */
export interface RunningSystem extends AsyncDisposable {
  readonly name: string
  readonly topology: string
  readonly gatewayUrl: string
  /** `undefined` when it was started without an admin listener. */
  readonly adminUrl: string | undefined
  readonly dataDir: string
  readonly operator: Operator
  /** A way in for calls that do not come through the gateway: as `operator`, who may call everything. */
  readonly send: Handle
  /** For the start-up table. */
  describe(): Promise<SystemDescription>
  /** New code from disk for everything at once; only for a supervised start. @throws OperatorError */
  reload(): Promise<void>
  /** Drains from the edge inwards, closes, and leaves no process behind. May be called again. */
  stop(): Promise<void>
  /** Ends everything at once, without waiting for anybody. */
  kill(): void
  /** Resolves when the system has stopped. */
  readonly stopped: Promise<void>
}

/** What runs where, as the table of a start shows it. */
export interface SystemDescription {
  readonly system: string
  readonly topology: string
  readonly gatewayUrl: string
  readonly adminUrl: string | undefined
  /** What runs, and in which process; the gateway included. */
  readonly services: readonly {
    readonly service: string
    readonly version: string | undefined
    readonly where: string
    readonly pids: readonly number[]
  }[]
  /** Where the databases are; `undefined`: no service has one. */
  readonly stores: string | undefined
}

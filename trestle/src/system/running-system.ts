import type { Handle } from '../call/call.ts'
import type { Operator } from '../call/operator.ts'
import type { GatewaySpec } from '../gateway/index.ts'
import type { BesideDescription } from './start-beside.ts'

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
  /**
   * Another description for the gateway, opened whole before it takes the first request; those that run end in the old one.
   * Only where the system was given as a value. What it asks of services must run already.
   * @throws StartError `system_invalid`; what the gateway finds wrong with it. The old one stays
   */
  replaceGateway(spec: GatewaySpec): Promise<void>
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
  /** Other systems that run with it. */
  readonly beside: readonly BesideDescription[]
}

import type { Reply } from './call.ts'
import type { GatewayReport } from './gateway-report.ts'

/** What an operator may see of, and do to, a running system. Implemented by `system/`, served by `admin/`. */
export interface Operator {
  status(): Promise<SystemStatus>
  /** @throws OperatorError */
  scale(service: string, replicas: number): Promise<Affected>
  /** Replaces every replica, one set for the other, without a refused request. @throws OperatorError */
  restart(service: string): Promise<Affected>
  /** Drains and ends every replica; its callers get `unavailable`. @throws OperatorError */
  stop(service: string): Promise<Affected>
  /** Starts a service that was stopped or given up. @throws OperatorError */
  start(service: string): Promise<Affected>
  /** New replicas from the code on disk; the old ones go when the new are ready, and stay when they are not. @throws OperatorError */
  deploy(service: string): Promise<Affected>
  /** Calls any operation as the operator. Never rejects. */
  call(request: OperatorCall): Promise<Reply>
  /** The measurements of every process, as Prometheus text. */
  metrics(): Promise<string>
  /** What each running gateway shows, and how those behind it stand as it sees them. */
  gateways(): Promise<readonly GatewayReport[]>
  /** Whether the system can do its work, and what is missing. */
  readiness(): Promise<Readiness>
}

/** What an operation was done to: a group of services moves as one. */
export interface Affected {
  readonly group: string
  readonly services: readonly string[]
  readonly replicas: number
}

export interface OperatorCall {
  /** A contract's name, or its id `name@major`. */
  readonly contract: string
  readonly operation: string
  readonly input: unknown
  /** Idempotency key. */
  readonly key?: string
  /** On behalf of this user, with all scopes; default: as the operator. */
  readonly as?: { readonly kind: 'user'; readonly id: string }
}

export interface Readiness {
  readonly ready: boolean
  /** Services that are not ready, each with a reason. */
  readonly waitingFor: readonly { readonly service: string; readonly reason: string }[]
}

export interface SystemStatus {
  readonly system: string
  readonly topology: string
  readonly pid: number
  readonly uptimeMs: number
  /** `undefined` while no gateway listens. */
  readonly gatewayUrl: string | undefined
  readonly services: readonly ServiceStatus[]
}

export interface ServiceStatus {
  readonly service: string
  /** Services that share their processes with it, itself included. */
  readonly group: string
  readonly version: string | undefined
  /** Ids (`name@major`) of the contracts that its replicas implement. */
  readonly contracts: readonly string[]
  /** How many are wanted. */
  readonly replicas: number
  /** `failed`: given up after too many crashes. */
  readonly state: 'starting' | 'ready' | 'degraded' | 'down' | 'stopped' | 'failed'
  /** Why it is not ready. */
  readonly reason: string | undefined
  readonly processes: readonly ProcessStatus[]
}

export interface ProcessStatus {
  readonly process: string
  readonly pid: number | undefined
  readonly state: 'starting' | 'ready' | 'draining' | 'waiting' | 'failed'
  readonly version: string | undefined
  readonly uptimeMs: number | undefined
  readonly restarts: number
  readonly memoryBytes: number | undefined
  /** Of one core, since the last look. */
  readonly cpuPercent: number | undefined
}

export type OperatorErrorCode =
  /** The system has no such service. */
  | 'unknown_service'
  /** The placement does not allow it: the message says which one does. */
  | 'not_separable'
  /** Something else is being done to this service. */
  | 'busy'
  /** The replicas did not become ready; what ran before still runs. */
  | 'deploy_failed'
  | 'start_failed'
  | 'invalid_replicas'
  /** The system is stopping. */
  | 'stopping'

export class OperatorError extends Error {
  readonly code: OperatorErrorCode
  constructor(code: OperatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OperatorError'
    this.code = code
  }
}

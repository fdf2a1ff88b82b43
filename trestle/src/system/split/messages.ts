import type { LogLevel } from '../../telemetry/index.ts'
import type { GatewayReport } from '../../call/gateway-report.ts'
import type { Address } from '../../call/instance.ts'
import type { StoreConnection } from '../../store/store.ts'
import type { ServiceFacts, SystemSnapshot } from '../host/snapshot.ts'

/** What the parent tells a child, over the channel that Node opens between them. Plain JSON. */
export type ToChild =
  /** First: load this code and say hello. */
  | {
      readonly kind: 'prepare'
      readonly systemUrl: string
      readonly process: string
      readonly services: readonly string[]
      readonly gateway: { readonly host: string; readonly port: number } | undefined
      readonly link: Address
      /** The system's key, hex. It travels here and not in the environment, which others may read. */
      readonly key: string
      readonly logLevel: LogLevel
    }
  /** Second, when everything it needs is there: open, migrate, serve. */
  | {
      readonly kind: 'start'
      readonly stores: Readonly<Record<string, StoreConnection>>
      readonly snapshot: SystemSnapshot
    }
  | { readonly kind: 'snapshot'; readonly id: number; readonly snapshot: SystemSnapshot }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number }
  /** How does the gateway in you stand? */
  | { readonly kind: 'report'; readonly id: number }
  /** Finish what there is, close, exit. */
  | { readonly kind: 'drain'; readonly timeoutMs: number }

export type FromChild =
  | { readonly kind: 'awake' }
  | { readonly kind: 'hello'; readonly facts: readonly ServiceFacts[] }
  | { readonly kind: 'progress'; readonly service: string; readonly message: string }
  | {
      readonly kind: 'ready'
      readonly address: Address | undefined
      readonly gateway: { readonly host: string; readonly port: number } | undefined
    }
  /** It cannot go on and exits: the parent's report says why. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'applied'; readonly id: number }
  | { readonly kind: 'pong'; readonly id: number; readonly stats: ProcessStats }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'report'; readonly id: number; readonly report: GatewayReport | undefined }
  /** Somebody asked this one process to end. */
  | { readonly kind: 'leaving' }

export interface ProcessStats {
  readonly memoryBytes: number
  /** CPU time used since the process started, microseconds. */
  readonly cpuMicros: number
  readonly inFlight: number
}

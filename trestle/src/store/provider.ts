import type { StoreConnection } from './store.ts'

/** How many connections a service may have in all: `poolMax` in each of `processes`. */
export interface ConnectionOptions {
  /** Connections that one process may hold for this service; default 8. */
  readonly poolMax?: number
  /** How many processes hold such a pool now, asked again whenever another wants one; default 1. */
  readonly processes?: () => number
}

/** Where the databases of a system's services live. */
export interface StoreProvider {
  /** One line for the start-up table. */
  readonly description: string
  /**
   * The database and role of a service; made when missing.
   * @throws StoreError `pools_exceed_server`, `unavailable`, `store_config_invalid`
   */
  connectionFor(service: string, options?: ConnectionOptions): Promise<StoreConnection>
  state?(): 'running' | 'recovering' | 'stopped'
  close(): Promise<void>
}

/** What the parts of the store write about themselves. */
export interface StoreLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export const silentLog: StoreLog = { info() {}, warn() {}, error() {} }

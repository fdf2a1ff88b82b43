import type { Instance } from '../../call/instance.ts'

/** What a process must know about one of the services it runs, once its code is loaded. */
export interface ServiceFacts {
  readonly service: string
  /** Version of its first contract. */
  readonly version: string
  /** Ids of the contracts that it implements. */
  readonly contracts: readonly string[]
  /** Ids of the contracts that it may call. */
  readonly uses: readonly string[]
  readonly hasStore: boolean
  /** Ids of the platform's contracts: by which others read its events, and an operator works on it. Nobody's start waits for them. */
  readonly feeds: readonly string[]
  /** Ids of those by which it reads the events of others. */
  readonly reads: readonly string[]
}

/** What every process knows about the system: pushed by the parent, whole, after each change. */
export interface SystemSnapshot {
  readonly instances: readonly Instance[]
  /** Ids of all contracts of the system, be they up or down. */
  readonly contracts: readonly string[]
  /** Service -> ids of the contracts that it may call. */
  readonly uses: Readonly<Record<string, readonly string[]>>
}

export const emptySnapshot: SystemSnapshot = { instances: [], contracts: [], uses: {} }

/** Where an instance of a service listens. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** One running copy of a service. */
export interface Instance {
  /** Unique over the life of the system: a restarted replica has a new one. */
  readonly id: string
  readonly service: string
  /** Version of the service's first contract. */
  readonly version: string
  /** Ids (`name@major`) of the contracts that it implements. */
  readonly contracts: readonly string[]
  /** `undefined`: in this process. */
  readonly address: Address | undefined
  /** `draining`: finishes what it has; gets nothing new. */
  readonly state: 'ready' | 'draining'
}

/** Where instances live. Changes are pushed: nobody polls. */
export interface Registry {
  /** Ready instances that implement this contract. The same array object until something changes. */
  instances(contract: string): readonly Instance[]
  /** Every instance, also draining ones. */
  all(): readonly Instance[]
  /** Whether the system has such a contract at all, be it up or down. */
  knows(contract: string): boolean
  /** Calls `listener` after every change. */
  onChange(listener: () => void): () => void
}

import type { Effects } from '../call/call-context.ts'
import type { TraceContext } from '../std/trace-context.ts'
import type { BeforeCommit, Store, TransactionOptions, Tx, WatchableStore } from '../store/store.ts'

/**
 * The store as one request sees it. It notes whether the handler may have changed something, because only when it
 * certainly has not may a failure of the store be told as "not processed". Reads change nothing. What it publishes
 * belongs to the request's trace.
 */
export class WatchedStore<Tables> implements Store<Tables> {
  readonly #store: WatchableStore<Tables>
  readonly #effects: Effects
  readonly #trace: TraceContext | undefined
  readonly #beforeCommit: BeforeCommit | undefined
  #db: Store<Tables>['db'] | undefined

  /** @param beforeCommit ends each statement of `db` that writes */
  constructor(store: WatchableStore<Tables>, effects: Effects, trace?: TraceContext, beforeCommit?: BeforeCommit) {
    this.#store = store
    this.#effects = effects
    this.#trace = trace
    this.#beforeCommit = beforeCommit
  }

  get db(): Store<Tables>['db'] {
    return (this.#db ??= this.#store.watchedDb((write) => this.#around(write), this.#beforeCommit))
  }

  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const traced = this.#trace === undefined ? options : { ...options, trace: this.#trace }
    return this.#around(() => this.#store.transaction(work, traced))
  }

  async #around<T>(write: () => Promise<T>): Promise<T> {
    this.#effects.running++
    try {
      const value = await write()
      this.#effects.possible = true
      return value
    } catch (error) {
      if (storeCodeOf(error) === 'outcome_unknown') this.#effects.possible = true
      throw error
    } finally {
      this.#effects.running--
    }
  }
}

/** Whether nothing that the handler has done so far can have had an effect. */
export function certainlyUntouched(effects: Effects | undefined): boolean {
  return effects === undefined || (!effects.possible && effects.running === 0)
}

/** The code of a store's failure that its callers can do something about. */
export function storeCodeOf(error: unknown): 'overloaded' | 'unavailable' | 'outcome_unknown' | undefined {
  if (!(error instanceof Error) || error.name !== 'StoreError' || !('code' in error)) return undefined
  const { code } = error
  return code === 'overloaded' || code === 'unavailable' || code === 'outcome_unknown' ? code : undefined
}

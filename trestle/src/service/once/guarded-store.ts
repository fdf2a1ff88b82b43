import type { Effects } from '../../call/call-context.ts'
import type { BeforeCommit, Store, TracedOptions, TransactionOptions, Tx, WatchableStore } from '../../store/store.ts'
import { WatchedStore } from '../effects.ts'
import { checkAlive } from './cancelled-work.ts'
import { anyRefused, readsCommitted } from './keyed-store.ts'

/**
 * The store as a request sees it that others' once-only work makes: nothing that it writes is committed after that work
 * was undone, be it in transactions or in single statements.
 */
export class GuardedStore<Tables> implements Store<Tables> {
  readonly #store: WatchedStore<Tables>
  readonly #parents: readonly string[]
  /** Those that were not answered with yes. */
  readonly #checks = new Set<Promise<unknown>>()

  constructor(
    store: WatchableStore<Tables>,
    effects: Effects,
    parents: readonly string[],
    trace: TracedOptions['trace'],
  ) {
    this.#parents = parents
    this.#store = new WatchedStore(store, effects, trace, this.#beforeCommit(true))
  }

  get db(): Store<Tables>['db'] {
    return this.#store.db
  }

  /** Whether a commit was refused because the work was undone. */
  refused(): Promise<boolean> {
    return anyRefused([...this.#checks])
  }

  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const guarded: TracedOptions = { ...options, beforeCommit: this.#beforeCommit(readsCommitted(options)) }
    return this.#store.transaction(work, guarded)
  }

  #beforeCommit(committedIsRead: boolean): BeforeCommit {
    return (_value, send) => {
      const check = checkAlive(send, this.#parents, committedIsRead)
      this.#checks.add(check)
      check.then(
        () => this.#checks.delete(check),
        () => undefined,
      )
    }
  }
}

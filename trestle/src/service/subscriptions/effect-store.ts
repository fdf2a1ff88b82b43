import type { TraceContext } from '../../std/trace-context.ts'
import { type Store, StoreError, type TransactionOptions, type Tx, type WatchableStore } from '../../store/store.ts'

/** The store as the handler of an effect sees it: its one transaction carries the note that the event is done. */
export class EffectStore implements Store<unknown> {
  /** The note has been committed. */
  marked = false
  /** The event is somebody else's by now. */
  lost = false
  trace: TraceContext | undefined
  readonly #store: WatchableStore<unknown>
  readonly #mark: (tx: Tx<unknown>) => Promise<void>
  #opened = false

  constructor(store: WatchableStore<unknown>, mark: (tx: Tx<unknown>) => Promise<void>) {
    this.#store = store
    this.#mark = mark
  }

  get db(): Store<unknown>['db'] {
    return this.#store.db
  }

  async transaction<T>(work: (tx: Tx<unknown>) => Promise<T>, options?: TransactionOptions): Promise<T> {
    if (this.#opened) {
      throw new StoreError(
        'second_transaction',
        'The handler of an event opened a second transaction: the first one carries the note that the event is done',
      )
    }
    this.#opened = true
    return await this.#marking(work, options)
  }

  /** The note alone, for a handler that opened no transaction. */
  async markAlone(): Promise<void> {
    await this.#marking(async () => undefined)
  }

  async #marking<T>(work: (tx: Tx<unknown>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const traced = this.trace === undefined ? options : { ...options, trace: this.trace }
    const value = await this.#store.transaction(async (tx) => {
      const result = await work(tx)
      this.#mark(tx).catch((error: unknown) => {
        this.lost = (error as { code?: unknown }).code === '22012'
      })
      return result
    }, traced)
    this.marked = true
    return value
  }
}

import type { Kysely } from 'kysely'
import { crashPoint } from '../../std/crash-points.ts'
import type { Store, TransactionOptions, Tx } from '../../store/store.ts'
import { StoreError } from '../../store/store-error.ts'

/** How the end of a run is written down. */
export interface RunEnd {
  /** Notes it in the run's own transaction; `false`: the run has been given to somebody else. */
  readonly note: (db: Kysely<unknown>) => Promise<boolean>
  /** Whether it has been noted: asked when the answer to a commit was lost. */
  readonly noted: () => Promise<boolean>
}

/** Said of a run whose lease has run out: somebody else has it now, so that this one may write nothing. */
export class LostRunError extends Error {
  override readonly name = 'LostRunError'
}

/** The store as one run of a job sees it: its one transaction carries the note that the tick has been run. */
export class JobStore<Tables> implements Store<Tables> {
  readonly #store: Store<Tables>
  readonly #end: RunEnd
  #begun = false
  #ended = false

  constructor(store: Store<Tables>, end: RunEnd) {
    this.#store = store
    this.#end = end
  }

  get db(): Store<Tables>['db'] {
    return this.#store.db
  }

  /** Whether the run's end has been committed. */
  get ended(): boolean {
    return this.#ended
  }

  async transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options?: TransactionOptions): Promise<T> {
    if (this.#begun) {
      const remedy = "write everything in one, or return 'again' to be run once more"
      throw new StoreError('second_transaction', `A run of a job opens one transaction: ${remedy}`)
    }
    this.#begun = true
    let value: { readonly is: T } | undefined
    try {
      await this.#store.transaction(async (tx) => {
        value = { is: await work(tx) }
        crashPoint('job.before-note')
        if (!(await this.#end.note(tx.db as unknown as Kysely<unknown>)))
          throw new LostRunError('another replica runs this tick by now')
        crashPoint('job.before-commit')
      }, options)
    } catch (error) {
      const unknown = error instanceof StoreError && error.code === 'outcome_unknown'
      if (!unknown || value === undefined || !(await this.#end.noted())) throw error
    }
    this.#ended = true
    crashPoint('job.after-commit')
    return (value as unknown as { readonly is: T }).is
  }
}

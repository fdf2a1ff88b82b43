import type { Effects } from '../../call/call-context.ts'
import { crashPoint } from '../../std/crash-points.ts'
import { insideTransaction } from '../../std/transaction-scope.ts'
import type { Store, TracedOptions, TransactionOptions, Tx, WatchableStore } from '../../store/store.ts'
import { StoreError } from '../../store/store-error.ts'
import { storeCodeOf } from '../effects.ts'
import { checkAlive } from './cancelled-work.ts'
import { finish, type Mine, settle } from './record.ts'
import type { StoredReply } from './stored-reply.ts'

/** What the store of a keyed request is made of. */
export interface KeyedStoreOptions<Tables> {
  readonly store: WatchableStore<Tables>
  readonly effects: Effects
  readonly mine: Mine
  readonly parents: readonly string[]
  readonly trace: NonNullable<TracedOptions['trace']>
  /** Makes the reply of what the transaction's work gave. @throws when the contract does not allow it */
  readonly replyFor: (value: unknown) => StoredReply
  readonly newToken: () => string
}

/** What a transaction has given and, with it, made certain. */
export interface Committed {
  readonly value: unknown
  readonly reply: StoredReply
}

/**
 * The store as once-only work sees it: reads are free, and all that it writes is in one transaction, which also writes
 * the reply. That transaction commits only while the request is still ours.
 */
export class KeyedStore<Tables> implements Store<Tables> {
  readonly #options: KeyedStoreOptions<Tables>
  #db: Store<Tables>['db'] | undefined
  #opened: Promise<unknown> | undefined
  #committed: Committed | undefined
  #refused = false

  constructor(options: KeyedStoreOptions<Tables>) {
    this.#options = options
  }

  get db(): Store<Tables>['db'] {
    return (this.#db ??= this.#options.store.watchedDb(refuseWrite))
  }

  /** What was committed, once nothing is running any more. */
  async committed(): Promise<Committed | undefined> {
    await this.#opened?.catch(() => undefined)
    return this.#committed
  }

  /** The commit was refused: somebody else has the request now, or the work that it is part of was undone. */
  get refused(): boolean {
    return this.#refused
  }

  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    // Inside another one the store has something to say.
    if (insideTransaction()) return this.#options.store.transaction(work, options)
    if (this.#opened !== undefined) return Promise.reject(secondTransaction())
    const running = this.#run(work, options)
    this.#opened = running
    return running
  }

  async #run<T>(work: (tx: Tx<Tables>) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { store, effects, mine, parents, trace, replyFor } = this.#options
    let reply: StoredReply | undefined
    let value: T | undefined
    let checks: readonly Promise<unknown>[] = []
    effects.running++
    try {
      value = await store.transaction(
        async (tx) => {
          value = await work(tx)
          return value
        },
        {
          ...options,
          trace,
          beforeCommit(given, send) {
            reply = replyFor(given)
            const alive = parents.length === 0 ? [] : [checkAlive(send, parents, readsCommitted(options))]
            checks = [...alive, finish(send, mine, reply)]
            for (const check of checks) check.catch(() => undefined)
            crashPoint('once.before-commit')
          },
        },
      )
    } catch (error) {
      this.#refused = await anyRefused(checks)
      if (reply === undefined || !(await this.#committedAfterAll(error))) throw error
    } finally {
      effects.running--
    }
    crashPoint('once.after-commit')
    effects.possible = true
    if (reply !== undefined) this.#committed = { value, reply }
    return value as T
  }

  /** The answer to the commit was lost: the record tells. */
  async #committedAfterAll(thrown: unknown): Promise<boolean> {
    if (storeCodeOf(thrown) !== 'outcome_unknown') return false
    const { store, effects, mine, newToken } = this.#options
    try {
      if ((await settle(store, mine, newToken())) !== undefined) return true
    } catch {
      effects.possible = true
      throw thrown
    }
    throw new StoreError('unavailable', 'The connection was lost before the commit; the transaction was rolled back', {
      cause: thrown,
    })
  }
}

export function readsCommitted({ isolation = 'read committed' }: TransactionOptions): boolean {
  return isolation === 'read committed'
}

/** Whether the database refused one of the platform's last statements, which then ended the transaction. */
export async function anyRefused(checks: readonly Promise<unknown>[]): Promise<boolean> {
  const outcomes = await Promise.allSettled(checks)
  return outcomes.some((outcome) => outcome.status === 'rejected' && refusals.has(sqlStateOf(outcome.reason) ?? ''))
}

/** The division by zero of a statement that found nothing, and a row that is there already. */
const refusals = new Set(['22012', '23505'])

function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

function secondTransaction(): StoreError {
  return new StoreError(
    'second_transaction',
    'Work that must have its effect once has one store.transaction, and this is the second: put all that it writes into one',
  )
}

function refuseWrite(): never {
  throw new StoreError(
    'second_transaction',
    'Work that must have its effect once writes inside its one store.transaction only: store.db may read',
  )
}

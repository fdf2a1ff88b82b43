import type { Kysely } from 'kysely'
import type { TransactionOptions, Tx } from '../../store/store.ts'

/** Marks, for the types alone, what a transaction has committed. It is private, so no other object can be one. */
export declare class FromStoreTransaction {
  private readonly returnWhatStoreTransactionGave: true
}

/**
 * What the transaction of once-only work has committed, as its reply: the handler returns it as it is. Only
 * `store.transaction` makes one, so that the reply which is kept for the key is the one that is sent.
 */
export type Committed<Reply> = [Reply] extends [void] ? FromStoreTransaction : Reply & FromStoreTransaction

/** The database as a handler with an idempotency key sees it: reads are free, all writes are in one transaction. */
export interface OnceStore<Tables, Reply> {
  /** Reads. @throws StoreError `second_transaction` for what writes */
  readonly db: Kysely<Tables>
  /**
   * Runs `work` in a transaction and commits what it writes together with what it gives back: that is the reply to the
   * request, now and whenever it is asked again with the same key. A handler that writes nothing has one all the same.
   * @throws StoreError as `Store.transaction`, and `second_transaction` when it is opened again
   * @example return store.transaction(async (tx) => { await tx.db.insertInto('orders').values(row).execute(); return order })
   */
  transaction(work: (tx: Tx<Tables>) => Promise<Reply>, options?: TransactionOptions): Promise<Committed<Reply>>
}

import { CompiledQuery } from 'kysely'
import type { Store, Tx } from '../store/store.ts'

/** A row as the database gives it. */
export type Row = Readonly<Record<string, unknown>>

/** One statement on its own. */
export async function runAlone(store: Store<unknown>, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await store.db.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]))
  return rows
}

/** One statement of a transaction; sent at once, so what follows may be sent before its answer is there. */
// oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of whoever opened the transaction
export async function runWithin(tx: Tx<any>, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await tx.db.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]))
  return rows
}

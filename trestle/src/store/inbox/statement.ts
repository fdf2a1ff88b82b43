import { CompiledQuery, type Kysely } from 'kysely'

/** A way to the database of a service, whatever its tables are. */
// oxlint-disable-next-line typescript/no-explicit-any -- the platform's tables are in every service's database
export type AnyDb = Kysely<any>

/** Runs a statement as it is written: nothing is compiled, and it has one name on a connection. */
export async function rowsOf<Row>(db: AnyDb, text: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))
  return rows
}

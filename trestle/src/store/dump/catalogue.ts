import type { Client } from 'pg'
import { quoteName } from '../server/database-names.ts'

export type Name = readonly [schema: string, name: string]

export interface Table {
  readonly name: Name
  /** Without generated ones: their values follow from the others. */
  readonly columns: readonly string[]
}

export interface Sequence {
  readonly name: Name
  readonly value: string
  readonly called: boolean
}

/** What belongs to the service. The tables of the migrations are written by the migrations. */
const ofService = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not (n.nspname = 'trestle' and c.relname in ('migrations', 'platform_migrations', 'migration_lock'))`

export function qualified([schema, name]: Name): string {
  return `${quoteName(schema)}.${quoteName(name)}`
}

export async function listTables(client: Client): Promise<readonly Table[]> {
  const { rows } = await client.query<{ schema: string; name: string; columns: string[] }>(`
    select n.nspname as schema, c.relname as name, array(
      select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
    ) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't' and ${ofService} order by 1, 2`)
  return rows.map(({ schema, name, columns }) => ({ name: [schema, name], columns }))
}

export async function listSequences(client: Client): Promise<readonly Sequence[]> {
  const names = await listNames(client, 'S')
  const sequences: Sequence[] = []
  for (const name of names) {
    const { rows } = await client.query<{ value: string; called: boolean }>(
      `select last_value::text as value, is_called as called from ${qualified(name)}`,
    )
    if (rows[0] !== undefined) sequences.push({ name, ...rows[0] })
  }
  return sequences
}

/** Relations of one kind: `r` tables, `p` partitioned tables, `S` sequences, `m` materialised views. */
export async function listNames(client: Client, kind: 'r' | 'p' | 'S' | 'm'): Promise<readonly Name[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = $1 and c.relpersistence <> 't' and ${ofService} order by c.oid`,
    [kind],
  )
  return rows.map(({ schema, name }) => [schema, name])
}

/** Foreign keys as the statements that take them away and bring them back. */
export async function listForeignKeys(
  client: Client,
): Promise<readonly { readonly drop: string; readonly add: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string; key: string; definition: string }>(`
    select n.nspname as schema, c.relname as name, k.conname as key, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'f' and k.conparentid = 0 and ${ofService} order by k.oid`)
  return rows.map(({ schema, name, key, definition }) => {
    const table = `alter table ${qualified([schema, name])}`
    return {
      drop: `${table} drop constraint ${quoteName(key)}`,
      add: `${table} add constraint ${quoteName(key)} ${definition}`,
    }
  })
}

/** Takes away everything that the service has, its migrations too. */
export async function dropEverything(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
  )
  for (const { name } of rows) await client.query(`drop schema ${quoteName(name)} cascade`)
  await client.query('create schema public')
}

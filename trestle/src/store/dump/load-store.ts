import type { Client } from 'pg'
import { checksumOf, type Migration } from '../migration/read-migrations.ts'
import { type MigrationBook, migrationTables } from '../migration/run-migrations.ts'
import { quoteName } from '../server/database-names.ts'
import type { StoreConnection } from '../store.ts'
import {
  dropEverything,
  listForeignKeys,
  listNames,
  listTables,
  type Name,
  qualified,
  type Sequence,
  type Table,
} from './catalogue.ts'
import { copyIn, openCopyClient } from './copy-client.ts'
import { type DumpTotals, liftTimeLimits } from './dump-store.ts'
import { feedEpoch, raiseFeedEpoch } from './feed-epoch.ts'
import { FrameReader, invalid } from './frames.ts'

type Line = Readonly<Record<string, unknown>>

/**
 * Replaces everything that a service has by what a dump holds, in one transaction: it is all there, or nothing has
 * changed. The schema is made by the migrations in the dump, with which a service of that age or newer can start.
 * @throws StoreError `dump_invalid` when the dump is damaged or cut off; `unavailable`
 */
export async function loadStore(
  connection: StoreConnection,
  source: AsyncIterable<Uint8Array>,
): Promise<DumpTotals & { readonly service: string }> {
  const reader = new FrameReader(source)
  const header = await reader.line()
  if (header['trestleDump'] !== 1) throw invalid('it does not start like a dump of this version')
  const client = await openCopyClient(connection)
  try {
    await begin(client)
    const totals = await loadInto(client, reader)
    const { command } = await client.query('commit')
    if (command !== 'COMMIT') throw invalid(`the database answered ${command}`)
    return { ...totals, service: String(header['service']) }
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    await client.end()
  }
}

/** Takes away everything that a service has. Its migrations run again at its next start. */
export async function resetStore(connection: StoreConnection): Promise<void> {
  const client = await openCopyClient(connection)
  try {
    await begin(client)
    await dropEverything(client)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

/** Those who use the tables now have to let go of them first; that is waited for, but not for long. */
async function begin(client: Client): Promise<void> {
  await client.query('begin')
  await liftTimeLimits(client)
  await client.query("set local lock_timeout = '10s'")
}

async function loadInto(client: Client, reader: FrameReader): Promise<DumpTotals> {
  const epochBefore = await feedEpoch(client)
  await dropEverything(client)
  await client.query(migrationTables)
  let line = await reader.line()
  let migrations = 0
  for (; line['migration'] !== undefined; line = await reader.line(), migrations += 1) {
    const book = line['book'] === 'platform_migrations' ? 'platform_migrations' : 'migrations'
    await applyMigration(client, line['migration'] as Migration, book)
  }
  const restore = await emptyTables(client)
  let [tables, rows] = [0, 0]
  for (; line['table'] !== undefined; line = await reader.line(), tables += 1) {
    rows += await loadTable(client, reader, line['table'] as Table)
  }
  for (; line['sequence'] !== undefined; line = await reader.line())
    await setSequence(client, line['sequence'] as Sequence)
  await checkEnd(reader, line, { migrations, tables, rows })
  for (const statement of restore) await client.query(statement)
  await raiseFeedEpoch(client, epochBefore)
  for (const view of await listNames(client, 'm')) await client.query(`refresh materialized view ${qualified(view)}`)
  return { tables, rows }
}

async function checkEnd(reader: FrameReader, line: Line, totals: Readonly<Record<string, number>>): Promise<void> {
  const end = line['end'] as Record<string, unknown> | undefined
  if (end === undefined) throw invalid(`a line is of no known kind: ${Object.keys(line).join(', ')}`)
  for (const [name, count] of Object.entries(totals)) {
    if (end[name] !== count) throw invalid(`it names ${String(end[name])} ${name} and holds ${count}`)
  }
  if (!(await reader.atEnd())) throw invalid('something follows its end')
}

async function applyMigration(
  client: Client,
  { number, name, checksum, sql }: Migration,
  book: MigrationBook,
): Promise<void> {
  if (checksumOf(sql) !== checksum) throw invalid(`migration ${name} does not match its checksum`)
  await client.query(sql)
  await client.query(`insert into trestle.${book} (number, name, checksum, sql) values ($1, $2, $3, $4)`, [
    number,
    name,
    checksum,
    sql,
  ])
}

/**
 * Empties what the migrations have filled, and takes foreign keys and triggers out of the way, because tables come in
 * the order of their names. Returns the statements that put them back.
 */
async function emptyTables(client: Client): Promise<readonly string[]> {
  const keys = await listForeignKeys(client)
  for (const { drop } of keys) await client.query(drop)
  const tables = await listTables(client)
  for (const { name } of tables) {
    // First the triggers: there are tables that refuse to be emptied.
    await client.query(`alter table ${qualified(name)} disable trigger user`)
    await client.query(`truncate ${qualified(name)}`)
  }
  const triggers = tables.map(({ name }) => `alter table ${qualified(name)} enable trigger user`)
  return [...triggers, ...keys.map(({ add }) => add)]
}

async function loadTable(client: Client, reader: FrameReader, { name, columns }: Table): Promise<number> {
  await makePartition(client, name)
  await checkExists(client, name)
  let counted: Line = {}
  async function* pieces() {
    for (;;) {
      counted = await reader.line()
      if (typeof counted['bytes'] !== 'number') return
      yield* reader.bytes(counted['bytes'])
    }
  }
  const text = `copy ${qualified(name)} (${columns.map(quoteName).join(', ')}) from stdin`
  const rows = await copyIn(client, text, pieces())
  if (counted['rows'] !== rows)
    throw invalid(`table ${name.join('.')} should have ${String(counted['rows'])} rows, not ${rows}`)
  return rows
}

/** Partitions of the outbox are made day by day, not by a migration. */
async function makePartition(client: Client, [schema, name]: Name): Promise<void> {
  const day = schema === 'trestle' ? /^outbox_(\d{4})(\d\d)(\d\d)$/.exec(name) : null
  if (day !== null) await client.query('select trestle.make_outbox_partition($1)', [day.slice(1).join('-')])
}

async function checkExists(client: Client, name: Name): Promise<void> {
  const { rows } = await client.query('select to_regclass($1) is not null as found', [qualified(name)])
  if ((rows[0] as { found: boolean }).found) return
  throw invalid(`table ${name.join('.')} is not made by the migrations in it`)
}

async function setSequence(client: Client, { name, value, called }: Sequence): Promise<void> {
  await client.query('select setval($1::regclass, $2::bigint, $3)', [qualified(name), value, called])
}

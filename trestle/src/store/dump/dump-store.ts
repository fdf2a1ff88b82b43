import type { Writable } from 'node:stream'
import type { Client } from 'pg'
import type { MigrationBook } from '../migration/run-migrations.ts'
import { quoteName } from '../server/database-names.ts'
import type { StoreConnection } from '../store.ts'
import { listSequences, listTables, qualified, type Table } from './catalogue.ts'
import { copyOut, openCopyClient } from './copy-client.ts'
import { FrameWriter } from './frames.ts'

export interface DumpTotals {
  readonly tables: number
  readonly rows: number
}

const pieceBytes = 64 << 10

/**
 * Writes everything that a service has to `out`, as of one moment: the migrations that have run, the rows of every
 * table, the sequences. `out` is not ended. Memory stays bounded whatever the size.
 * @throws StoreError `unavailable`; the error of `out`
 */
export async function dumpStore(connection: StoreConnection, service: string, out: Writable): Promise<DumpTotals> {
  const client = await openCopyClient(connection)
  try {
    await client.query('begin isolation level repeatable read read only')
    await liftTimeLimits(client)
    const writer = new FrameWriter(out)
    await writer.line({ trestleDump: 1, service, at: new Date().toISOString() })
    const migrations = await writeMigrations(client, writer)
    const tables = await listTables(client)
    let rows = 0
    for (const table of tables) rows += await writeTable(client, writer, table)
    for (const sequence of await listSequences(client)) await writer.line({ sequence })
    await writer.end({ migrations, tables: tables.length, rows })
    return { tables: tables.length, rows }
  } finally {
    await client.end()
  }
}

/** A large database takes longer than a service's transaction may. */
export async function liftTimeLimits(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select name from pg_settings where name in ('transaction_timeout', 'statement_timeout')`,
  )
  for (const { name } of rows) await client.query(`set local ${name} = 0`)
}

/** The platform's own come first, as they do in a database that is made anew. */
const books: readonly MigrationBook[] = ['platform_migrations', 'migrations']

async function writeMigrations(client: Client, writer: FrameWriter): Promise<number> {
  let written = 0
  for (const book of books) {
    const found = await client.query(`select to_regclass('trestle.${book}') is not null as found`)
    if (!(found.rows[0] as { found: boolean }).found) continue
    const { rows } = await client.query(`select number, name, checksum, sql from trestle.${book} order by number`)
    for (const migration of rows) await writer.line({ migration, book })
    written += rows.length
  }
  return written
}

async function writeTable(client: Client, writer: FrameWriter, { name, columns }: Table): Promise<number> {
  await writer.line({ table: { name, columns } })
  const pieces: Buffer[] = []
  let size = 0
  const flush = () => {
    const piece = Buffer.concat(pieces.splice(0))
    size = 0
    return writer.bytes(piece)
  }
  const text = `copy ${qualified(name)} (${columns.map(quoteName).join(', ')}) to stdout`
  const rows = await copyOut(client, text, (row) => {
    pieces.push(Buffer.from(row))
    size += row.length
    return size >= pieceBytes ? flush() : undefined
  })
  if (size > 0) await flush()
  await writer.line({ rows })
  return rows
}

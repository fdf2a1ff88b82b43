import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import type { PgConnection, PgResult } from '../connection/pg-connection.ts'
import { codeOf } from '../connection/pg-failure.ts'
import type { StoreLog } from '../provider.ts'
import { StoreError } from '../store-error.ts'
import type { Migration } from './read-migrations.ts'

export interface MigrationDeps {
  readonly log: StoreLog
  readonly clock: Clock
  readonly random: () => number
}

/** Where it is written what has run: the service's own migrations and the platform's are counted apart. */
export type MigrationBook = 'migrations' | 'platform_migrations'

interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

/** The platform's own tables in a service's database. The lock is a row: it goes with the transaction that holds it. */
export const migrationTables = `
create schema if not exists trestle;
create table if not exists trestle.migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  sql text not null,
  applied_at timestamptz not null default now()
);
create table if not exists trestle.platform_migrations (like trestle.migrations including all);
create table if not exists trestle.migration_lock (only_row boolean primary key check (only_row));
insert into trestle.migration_lock values (true) on conflict do nothing;
`

/**
 * Applies what has not run, each file in a transaction of its own. Replicas that start at once wait for each other at
 * the lock row and then find the work done. Migrations that a newer version has applied are left alone.
 */
export async function runMigrations(
  connection: PgConnection,
  migrations: readonly Migration[],
  deps: MigrationDeps,
  book: MigrationBook = 'migrations',
): Promise<{ readonly applied: readonly string[] }> {
  await connection.command('set statement_timeout = 0')
  if (connection.serverVersion >= 17) await connection.command('set transaction_timeout = 0')
  await createTables(connection, deps)
  const applied: string[] = []
  while (await applyNext(connection, migrations, applied, book)) {
    // The platform's own are nobody's news.
    if (book === 'migrations') deps.log.info({ migration: applied.at(-1) }, 'migration applied')
  }
  return { applied }
}

/** `if not exists` still collides when two sessions create at once; the one that lost tries again. */
async function createTables(connection: PgConnection, { clock, random }: MigrationDeps): Promise<void> {
  const collisions = new Set(['23505', '42P06', '42P07', '42710', 'XX000'])
  for (let attempt = 0; ; attempt += 1) {
    try {
      await connection.command(migrationTables)
      return
    } catch (error) {
      if (attempt >= 5 || !collisions.has(codeOf(error) ?? '')) throw error
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, backoffMs(attempt, { baseMs: 20, maxMs: 500, random }))
      })
    }
  }
}

/** Applies the first that is missing; `false` when there is none. */
async function applyNext(
  connection: PgConnection,
  migrations: readonly Migration[],
  done: string[],
  book: MigrationBook,
): Promise<boolean> {
  await connection.command('begin')
  try {
    await connection.command('select 1 from trestle.migration_lock for update')
    const next = nextToApply(migrations, await readApplied(connection, book))
    if (next !== undefined) {
      await applyOne(connection, next, book)
      done.push(next.name)
    }
    await connection.command('commit')
    return next !== undefined
  } catch (error) {
    if (!connection.broken) await connection.command('rollback').catch(() => undefined)
    throw error
  }
}

async function readApplied(connection: PgConnection, book: MigrationBook): Promise<readonly Applied[]> {
  const { rows } = await connection.command(`select number, name, checksum from trestle.${book} order by number`)
  return rows as unknown as Applied[]
}

/** Exported for its test. What has run must be what the files say, as far as there are files. */
export function nextToApply(migrations: readonly Migration[], applied: readonly Applied[]): Migration | undefined {
  const byNumber = new Map(applied.map((row) => [row.number, row]))
  for (const migration of migrations) {
    const row = byNumber.get(migration.number)
    if (row === undefined) return migration
    if (row.name !== migration.name || row.checksum !== migration.checksum) throw changed(migration, row)
  }
  return undefined
}

function changed(migration: Migration, row: Applied): StoreError {
  const what = row.name === migration.name ? 'was changed after it ran' : `ran under the name ${row.name}`
  return new StoreError(
    'migration_changed',
    `Migration ${migration.name} ${what}. Restore the file and put the change into a new migration; ` +
      'a development database can be started afresh with `trestle store reset`',
    { details: { file: migration.name } },
  )
}

async function applyOne(
  connection: PgConnection,
  { number, name, sql, checksum }: Migration,
  book: MigrationBook,
): Promise<void> {
  const before = await transactionId(connection)
  try {
    await connection.command(sql)
  } catch (cause) {
    throw failed(name, remedyFor(cause), cause)
  }
  if (connection.transactionState !== 'open' || (await transactionId(connection)) !== before) {
    throw failed(name, 'it ends its transaction: take BEGIN, COMMIT and ROLLBACK out of the file')
  }
  await connection.command(`insert into trestle.${book} (number, name, checksum, sql) values ($1, $2, $3, $4)`, [
    number,
    name,
    checksum,
    sql,
  ])
}

async function transactionId(connection: PgConnection): Promise<unknown> {
  const { rows }: PgResult = await connection.command('select pg_current_xact_id()::text as id')
  return rows[0]?.['id']
}

function remedyFor(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (codeOf(cause) !== '25001') return message
  return `${message}; each file runs in a transaction, so use a form that may (an index without CONCURRENTLY)`
}

function failed(name: string, why: string, cause?: unknown): StoreError {
  return new StoreError('migration_failed', `Migration ${name} failed and was rolled back: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { file: name },
  })
}

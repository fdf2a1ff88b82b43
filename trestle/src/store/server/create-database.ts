import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import { codeOf } from '../connection/pg-failure.ts'
import { quoteName, quoteText } from './database-names.ts'

/** Longest transaction of a service, milliseconds; see `TransactionOptions`. */
const transactionTimeoutMs = 30_000
/** Another process makes the same role or database at this moment. */
const collisions = new Set(['42710', '42P04', '23505', 'XX000', '55006'])

/** Makes sure that a database and a login role of one name exist, and that nobody else may connect. */
export async function createDatabase(admin: PgConnection, name: string, password: string, clock: Clock): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ensureRole(admin, name, password)
      await ensureDatabase(admin, name)
      return
    } catch (error) {
      if (attempt >= 8 || !collisions.has(codeOf(error) ?? '')) throw error
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, backoffMs(attempt, { baseMs: 20, maxMs: 500 }))
      })
    }
  }
}

async function ensureRole(admin: PgConnection, name: string, password: string): Promise<void> {
  const { rows } = await admin.command('select 1 from pg_roles where rolname = $1', [name])
  // An administrator who is no superuser may not even repeat that the role is none.
  const verb = rows.length === 0 ? 'create' : 'alter'
  await admin.command(`${verb} role ${quoteName(name)} login password ${quoteText(password)}`)
  if (admin.serverVersion >= 17) {
    await admin.command(`alter role ${quoteName(name)} set transaction_timeout = ${transactionTimeoutMs}`)
  }
}

async function ensureDatabase(admin: PgConnection, name: string): Promise<void> {
  const { rows } = await admin.command('select 1 from pg_database where datname = $1', [name])
  if (rows.length === 0) {
    // Without being superuser one may give a database only to a role that one belongs to.
    await admin.command(`grant ${quoteName(name)} to current_user`)
    await admin.command(`create database ${quoteName(name)} owner ${quoteName(name)} template template0`)
  }
  await admin.command(`revoke connect, temporary on database ${quoteName(name)} from public`)
}

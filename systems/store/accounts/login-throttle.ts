import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { AccountsTables } from './tables.ts'

/** Attempts that one e-mail address has in a window before it is closed for the rest of it. */
export const attemptsMax = 10
export const windowMs = 15 * 60_000
/** How far the clocks of two replicas may be apart. */
const skewMs = 60_000

/** Stands for an e-mail address; the table keeps none. */
export function bucketOf(email: string): Buffer {
  return createHash('sha256').update(email).digest()
}

/**
 * Counts an attempt before the password is looked at, so that a thousand guesses at once count a thousand times.
 * @returns how long the address is closed, in milliseconds; 0 when the attempt may go on
 */
export async function countAttempt(db: Kysely<AccountsTables>, bucket: Buffer, now: number): Promise<number> {
  const at = new Date(now)
  // One that begins later than now was written before the clock was put back.
  const [from, to] = [new Date(now - windowMs), new Date(now + skewMs)]
  const old = sql<boolean>`(login_attempts.window_started_at <= ${from} or login_attempts.window_started_at > ${to})`
  const row = await db
    .insertInto('login_attempts')
    .values({ bucket, attempts: 1, window_started_at: at })
    .onConflict((conflict) =>
      conflict.column('bucket').doUpdateSet({
        attempts: sql`case when ${old} then 1 else least(login_attempts.attempts + 1, ${attemptsMax + 1}::integer) end`,
        window_started_at: sql`case when ${old} then ${at} else login_attempts.window_started_at end`,
      }),
    )
    .returning(['attempts', 'window_started_at'])
    .executeTakeFirstOrThrow()
  return row.attempts > attemptsMax ? Math.max(1, row.window_started_at.getTime() + windowMs - now) : 0
}

/** Takes back an attempt whose password was not looked at: a flood must not close the addresses of those it disturbs. */
export async function takeBackAttempt(db: Kysely<AccountsTables>, bucket: Buffer): Promise<void> {
  await db
    .updateTable('login_attempts')
    .set({ attempts: sql`attempts - 1` })
    .where('bucket', '=', bucket)
    .where('attempts', '>', 1)
    .execute()
}

/** Forgets the attempts of somebody who knew the password. */
export async function forgetAttempts(db: Kysely<AccountsTables>, bucket: Buffer): Promise<void> {
  await db.deleteFrom('login_attempts').where('bucket', '=', bucket).execute()
}

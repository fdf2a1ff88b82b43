import { createHash, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { AccountsTables } from './tables.ts'

/** A session ends this long after it was opened, used or not. */
export const sessionTtlMs = 24 * 60 * 60_000
/** Sessions that one user may have at once; the oldest gives way. */
export const sessionsPerUserMax = 20

/** 256 random bits; a holder needs nothing else, so only its hash is stored. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is stored of a token. It is random, so a fast hash is enough. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Opens a session for a user. */
export async function openSession(db: Kysely<AccountsTables>, userId: string, token: string, now: number) {
  const expiresAt = new Date(now + sessionTtlMs)
  await db
    .insertInto('sessions')
    .values({ token_hash: tokenHash(token), user_id: userId, created_at: new Date(now), expires_at: expiresAt })
    .execute()
  await db
    .deleteFrom('sessions')
    .where('token_hash', 'in', (older) =>
      older
        .selectFrom('sessions')
        .select('token_hash')
        .where('user_id', '=', userId)
        .orderBy('created_at', 'desc')
        .orderBy('token_hash')
        .offset(sessionsPerUserMax),
    )
    .execute()
  return expiresAt
}

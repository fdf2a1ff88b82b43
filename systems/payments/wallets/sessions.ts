import { createHash, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { sessionSeconds } from './contract.ts'
import type { WalletsTables } from './tables.ts'

type Db = Kysely<WalletsTables>

const tokenForm = /^payer_[A-Za-z0-9_-]{43}$/

/** Whether this can be the token of a payer; others are not looked up. */
export function isPayerToken(credential: string): boolean {
  return tokenForm.test(credential)
}

/** Signs a payer in: 256 random bits, of which only a hash is kept. */
export async function openSession(db: Db, payerId: string, now: number) {
  const access_token = `payer_${randomBytes(32).toString('base64url')}`
  const expires_at = new Date(now + sessionSeconds * 1_000)
  await db
    .insertInto('sessions')
    .values({ token_hash: hashOf(access_token), payer_id: payerId, expires_at })
    .execute()
  return { access_token, token_type: 'Bearer' as const, expires_in: sessionSeconds }
}

/** Who is signed in with a token. */
export async function sessionOf(db: Db, token: string, now: number) {
  return await db
    .selectFrom('sessions')
    .innerJoin('payers', 'payers.id', 'sessions.payer_id')
    .select(['payers.id', 'payers.name', 'payers.email', 'sessions.expires_at'])
    .where('token_hash', '=', hashOf(token))
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst()
}

/** Signs out. */
export async function endSession(db: Db, token: string, payerId: string): Promise<void> {
  await db.deleteFrom('sessions').where('token_hash', '=', hashOf(token)).where('payer_id', '=', payerId).execute()
}

/** Ends a session on behalf of whoever has its token. */
export async function endAnySession(db: Db, token: string): Promise<void> {
  await db.deleteFrom('sessions').where('token_hash', '=', hashOf(token)).execute()
}

export async function forgetEnded(db: Db, now: number): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', new Date(now)).execute()
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

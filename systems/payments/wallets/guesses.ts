import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { WalletsTables } from './tables.ts'

type Db = Kysely<WalletsTables>

/** Wrong passwords that cost no pause: people mistype. */
const freeMax = 5
const firstPauseMs = 1_000
/** Longer pauses would let anybody lock a payer out; this one leaves a guesser 2,880 tries a day. */
const pauseMaxMs = 30_000
/** After so long without a wrong password, the next is the first again. */
const forgetMs = 60 * 60_000
/** How long a network address stays familiar from which a payer has signed in. */
const familiarMs = 90 * 24 * 60 * 60_000

/** Who tries a password. */
export interface Guess {
  /** As it is stored. */
  readonly email: string
  /** Of the client, as the gateway knows it; without one it is a stranger's. */
  readonly address: string | undefined
}

/** In whose name a password may be looked at, or for how long none is. */
export type Admission = { readonly guesser: Buffer } | { readonly waitMs: number }

/**
 * Lets a password be looked at, or makes wait: after some wrong ones for an account only one is looked at in each pause, and
 * the pauses grow. An address from which the payer has signed in is not held up by what strangers do.
 */
export async function admitGuess(db: Db, guess: Guess, now: number): Promise<Admission> {
  const { familiar, stranger } = guessersOf(guess)
  const rows = await db
    .selectFrom('guesses')
    .selectAll()
    .where('guesser', 'in', familiar === undefined ? [stranger] : [familiar, stranger])
    .execute()
  const of = (guesser: Buffer | undefined) => rows.find((row) => guesser?.equals(row.guesser) === true)
  const row = of(familiar) ?? of(stranger)
  if (row === undefined) return { guesser: stranger }
  const { guesser, wrong, last_at } = row
  const pauseMs = pauseAfter(wrong)
  if (pauseMs === 0 || last_at.getTime() < now - forgetMs) return { guesser }
  // A time that is still to come was written before the clock was put back, and holds nobody up.
  const waitMs = pauseMs - Math.abs(now - last_at.getTime())
  if (waitMs > 0) return { waitMs }
  // Of those who come at the end of a pause, one begins the next.
  const { numUpdatedRows } = await db
    .updateTable('guesses')
    .set({ last_at: new Date(now) })
    .where('guesser', '=', guesser)
    .where('last_at', '=', last_at)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n ? { guesser } : { waitMs: pauseMs }
}

/** Notes that the password was wrong. */
export async function noteWrong(db: Db, guesser: Buffer, now: number): Promise<void> {
  const last_at = new Date(now)
  const forgotten = new Date(now - forgetMs)
  await db
    .insertInto('guesses')
    .values({ guesser, wrong: 1, last_at })
    .onConflict((conflict) =>
      conflict.column('guesser').doUpdateSet((eb) => ({
        wrong: eb
          .case()
          .when('guesses.last_at', '<', forgotten)
          .then(1)
          .else(eb('guesses.wrong', '+', 1))
          .end(),
        last_at,
      })),
    )
    .execute()
}

/** Notes that a payer has signed in: the address is familiar from now on, and its wrong passwords are forgotten. */
export async function noteRight(db: Db, guess: Guess, now: number): Promise<void> {
  const { familiar } = guessersOf(guess)
  if (familiar === undefined) return
  const row = { wrong: 0, last_at: new Date(now), familiar_until: new Date(now + familiarMs) }
  await db
    .insertInto('guesses')
    .values({ guesser: familiar, ...row })
    .onConflict((conflict) => conflict.column('guesser').doUpdateSet(row))
    .execute()
}

/** Forgets strangers after an hour, addresses that are not familiar any more. Each row has cost a password's hash. */
export async function forgetGuesses(db: Db, now: number): Promise<void> {
  await db
    .deleteFrom('guesses')
    .where('familiar_until', 'is', null)
    .where('last_at', '<', new Date(now - forgetMs))
    .execute()
  await db.deleteFrom('guesses').where('familiar_until', '<', new Date(now)).execute()
}

function pauseAfter(wrong: number): number {
  return wrong < freeMax ? 0 : Math.min(pauseMaxMs, firstPauseMs * 2 ** (wrong - freeMax))
}

function guessersOf({ email, address }: Guess) {
  return {
    stranger: hashOf([email]),
    familiar: address === undefined ? undefined : hashOf([email, address]),
  }
}

function hashOf(parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

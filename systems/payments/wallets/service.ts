import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { ledger } from '../ledger/contract.ts'
import { readAmount } from '../money.ts'
import { topUpUnitsMax, wallets } from './contract.ts'
import { admitGuess, forgetGuesses, noteRight, noteWrong } from './guesses.ts'
import { passwords } from './password.ts'
import { endAnySession, endSession as endOwnSession, forgetEnded, openSession, sessionOf } from './sessions.ts'
import type { PayerRow, WalletsTables } from './tables.ts'

/** How long those are asked to wait whose password could not be looked at. */
const busyMs = 5_000

const impl = implement(wallets, {
  uses: { ledger },
  store: postgres<WalletsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const { hash, verify: isRight } = passwords()

const signUp = impl.handler('signUp', async ({ input, store, fail, newId, now }) => {
  const email = normalised(input.email)
  const known = await store.db.selectFrom('payers').select('id').where('email', '=', email).executeTakeFirst()
  if (known !== undefined) return fail('email_taken')
  const password_hash = (await hash(input.password)) ?? fail('too_busy', { retryAfterMs: busyMs })
  const row = { id: newId(), email, password_hash, name: input.name, created_at: new Date(now()) }
  const made = await store.db
    .insertInto('payers')
    .values(row)
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made === undefined ? fail('email_taken') : walletOf(row, [])
})

const logIn = impl.handler('logIn', async ({ input, store, fail, now }) => {
  const email = normalised(input.email)
  const guess = { email, address: input.client_address }
  const admitted = await admitGuess(store.db, guess, now())
  if ('waitMs' in admitted) return fail('too_many_attempts', { retryAfterMs: admitted.waitMs })
  const payer = await store.db
    .selectFrom('payers')
    .select(['id', 'password_hash'])
    .where('email', '=', email)
    .executeTakeFirst()
  const right = await isRight(input.password, payer?.password_hash)
  if (right === undefined) return fail('too_busy', { retryAfterMs: busyMs })
  if (!right || payer === undefined) {
    await noteWrong(store.db, admitted.guesser, now())
    return fail('wrong_credentials')
  }
  await noteRight(store.db, guess, now())
  return await openSession(store.db, payer.id, now())
})

const logOut = impl.handler('logOut', async ({ input, caller, store }) => {
  await endOwnSession(store.db, input.authorization.replace(/^bearer +/i, ''), caller.id)
})

const me = impl.handler('me', async ({ caller, call, store, fail }) => {
  const payer = (await payerById(store.db, caller.id)) ?? fail('wallet_not_found')
  const { balances } = await call.ledger.balances({ payer_id: payer.id })
  return walletOf(payer, balances)
})

const topUp = impl.handler('topUp', async ({ input, caller, call, store, fail }) => {
  const { request_id: id, amount } = input
  const payer = (await payerById(store.db, caller.id)) ?? fail('wallet_not_found')
  const money = readAmount(amount)
  if (typeof money === 'string') return fail(money)
  if (Number(amount.value) > topUpUnitsMax) return fail('amount_too_large')
  const done = await call.ledger.topUp.try({ id, payer_id: payer.id, amount })
  if (!done.ok && done.error.code === 'id_reused') return fail('request_id_reused')
  if (!done.ok) throw done.error
  const { balances } = await call.ledger.balances({ payer_id: payer.id })
  return walletOf(payer, balances)
})

const makePayer = impl.handler('makePayer', async ({ input, call, store, fail, newId, now }) => {
  const { balance, name } = input
  const money = balance === undefined ? undefined : readAmount(balance)
  if (typeof money === 'string') return fail(money)
  const id = newId()
  const email = `payer-${id}@example.com`
  const password = randomBytes(18).toString('base64url')
  const password_hash = (await hash(password)) ?? fail('too_busy', { retryAfterMs: busyMs })
  await store.db
    .insertInto('payers')
    .values({ id, email, password_hash, name, created_at: new Date(now()) })
    .execute()
  if (balance !== undefined) await call.ledger.topUp({ id: 'first', payer_id: id, amount: balance })
  const { access_token } = await openSession(store.db, id, now())
  return { payer_id: id, email, password, access_token }
})

const verify = impl.handler('verify', async ({ input, store, fail, now }) => {
  const session = (await sessionOf(store.db, input.token, now())) ?? fail('session_invalid')
  const { id, name, email, expires_at } = session
  return { payer_id: id, name, email, expires_at: expires_at.toISOString() }
})

const endSession = impl.handler('endSession', ({ input, store }) => endAnySession(store.db, input.token))

const find = impl.handler('find', async ({ input, store, fail }) => {
  const { id, name, email } = (await payerById(store.db, input.payer_id)) ?? fail('wallet_not_found')
  return { payer_id: id, name, email }
})

export default impl.service({
  handlers: { signUp, logIn, logOut, me, topUp, makePayer, verify, endSession, find },
  jobs: [
    impl.every('10 minutes', 'forget-ended-sessions', ({ store, now }) => forgetEnded(store.db, now())),
    impl.every('10 minutes', 'forget-guesses', ({ store, now }) => forgetGuesses(store.db, now())),
  ],
})

type Balances = {
  available: { currency_code: string; value: string }
  held: { currency_code: string; value: string }
}[]

function walletOf({ id, email, name }: Pick<PayerRow, 'id' | 'email' | 'name'>, balances: Balances) {
  return { payer_id: id, email, name, balances }
}

/** Callers of other kinds have ids of other forms. */
async function payerById(db: Kysely<WalletsTables>, id: string): Promise<PayerRow | undefined> {
  if (!z.uuid().safeParse(id).success) return undefined
  return await db.selectFrom('payers').selectAll().where('id', '=', id).executeTakeFirst()
}

function normalised(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

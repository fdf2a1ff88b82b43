import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { shopperOf } from '../shopper.ts'
import { accounts } from './contract.ts'
import { bucketOf, countAttempt, forgetAttempts, takeBackAttempt, windowMs } from './login-throttle.ts'
import { ensureOperator } from './operator.ts'
import { passwords } from './password.ts'
import { newToken, openSession, tokenHash } from './session.ts'
import type { AccountsTables, UserRow } from './tables.ts'

/** What everybody who signs up may do. */
const shopperScopes = ['orders:read', 'orders:write']
/** How long those are asked to wait whose password could not be looked at, milliseconds. */
const busyMs = 5_000

const impl = implement(accounts, {
  store: postgres<AccountsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const { hash, verify: isRight } = passwords()

const signUp = impl.handler('signUp', async ({ input, store, fail, newId, now, signal }) => {
  const email = normalised(input.email)
  const known = await store.db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
  if (known !== undefined) return fail('email_taken')
  const passwordHash = (await hash(input.password, signal)) ?? fail('too_busy', { retryAfterMs: busyMs })
  const row = await store.db
    .insertInto('users')
    .values({
      id: newId(),
      email,
      name: input.name,
      password_hash: passwordHash,
      scopes: shopperScopes,
      created_at: new Date(now()),
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? fail('email_taken') : userOf(row)
})

const logIn = impl.handler('logIn', async ({ input, store, fail, now, signal }) => {
  const email = normalised(input.email)
  const bucket = bucketOf(email)
  const closedMs = await countAttempt(store.db, bucket, now())
  if (closedMs > 0) return fail('too_many_attempts', { retryAfterMs: closedMs })
  const user = await store.db
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where('email', '=', email)
    .executeTakeFirst()
  const right = await isRight(input.password, user?.password_hash, signal)
  if (right === undefined) {
    await takeBackAttempt(store.db, bucket)
    return fail('too_busy', { retryAfterMs: busyMs })
  }
  if (!right || user === undefined) return fail('wrong_credentials')
  const token = newToken()
  const expiresAt = await store.transaction(async ({ db }) => {
    await forgetAttempts(db, bucket)
    return openSession(db, user.id, token, now())
  })
  return { token, expiresAt: expiresAt.toISOString() }
})

const me = impl.handler('me', async ({ caller, store, fail }) => {
  const id = shopperOf(caller) ?? fail('user_not_found')
  const row = await store.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? fail('user_not_found') : userOf(row)
})

const logOut = impl.handler('logOut', async ({ input, caller, store }) => {
  const userId = shopperOf(caller)
  if (userId === undefined) return
  const token = input.authorization.replace(/^bearer +/i, '')
  await store.db
    .deleteFrom('sessions')
    .where('token_hash', '=', tokenHash(token))
    .where('user_id', '=', userId)
    .execute()
})

const verify = impl.handler('verify', async ({ input, store, fail, now }) => {
  const session = await store.db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.scopes', 'sessions.expires_at'])
    .where('sessions.token_hash', '=', tokenHash(input.token))
    .where('sessions.expires_at', '>', new Date(now()))
    .executeTakeFirst()
  if (session === undefined) return fail('session_invalid')
  return { userId: session.id, scopes: session.scopes, expiresAt: session.expires_at.toISOString() }
})

const contact = impl.handler('contact', async ({ input, store, fail }) => {
  const row = await store.db
    .selectFrom('users')
    .select(['email', 'name'])
    .where('id', '=', input.userId)
    .executeTakeFirst()
  return row ?? fail('user_not_found')
})

const grant = impl.handler('grant', async ({ input, store, fail }) => {
  const row = await store.db
    .updateTable('users')
    .set({ scopes: input.scopes })
    .where('email', '=', normalised(input.email))
    .returning(['id', 'scopes'])
    .executeTakeFirst()
  return row ?? fail('user_not_found')
})

export default impl.service({
  handlers: { signUp, logIn, me, logOut, verify, contact, grant },
  start: ({ store, newId, now }) => ensureOperator(store, { hash, newId, now, shopperScopes }),
  jobs: [
    impl.every('10 minutes', 'forget-ended-sessions', async ({ store, now }) => {
      await store.db.deleteFrom('sessions').where('expires_at', '<=', new Date(now())).execute()
      const before = new Date(now() - windowMs)
      await store.db.deleteFrom('login_attempts').where('window_started_at', '<=', before).execute()
    }),
  ],
})

function normalised(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

function userOf({ id, email, name, created_at }: UserRow) {
  return { id, email, name, createdAt: created_at.toISOString() }
}

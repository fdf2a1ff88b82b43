import { createHash, randomBytes } from 'node:crypto'
import { type Caller, implement } from 'trestle/service'
import { postgres, type Store } from 'trestle/store'
import { accounts, applicationsMax } from './contract.ts'
import { applicationOf, keyOrNone, makeKey, uses } from './keys.ts'
import { passwords } from './password.ts'
import type { AccountRow, AccountsTables, ApplicationRow } from './tables.ts'

const sessionTtlMs = 24 * 60 * 60_000
/** How long those are asked to wait whose password could not be looked at. */
const busyMs = 5_000

const impl = implement(accounts, {
  uses,
  store: postgres<AccountsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const { hash, verify: isRight } = passwords()

const signUp = impl.handler('signUp', async (args) => {
  const { input, store, fail, newId, now } = args
  const email = normalised(input.email)
  const known = await store.db.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirst()
  if (known !== undefined) return fail('email_taken')
  const password_hash = (await hash(input.password)) ?? fail('too_busy', { retryAfterMs: busyMs })
  const created_at = new Date(now())
  const made = await store.transaction(async ({ db }) => {
    const account = await db
      .insertInto('accounts')
      .values({ id: newId(), email, password_hash, created_at })
      .onConflict((conflict) => conflict.column('email').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (account === undefined) return undefined
    const row = { id: newId(), account_id: account.id, name: input.application, created_at }
    const application = await db.insertInto('applications').values(row).returningAll().executeTakeFirstOrThrow()
    return { account, application }
  })
  if (made === undefined) return fail('email_taken')
  return { account: accountOf(made.account), ...(await keyOrNone(args, made.application)) }
})

const logIn = impl.handler('logIn', async ({ input, store, fail, now }) => {
  const account = await store.db
    .selectFrom('accounts')
    .select(['id', 'password_hash'])
    .where('email', '=', normalised(input.email))
    .executeTakeFirst()
  const right = await isRight(input.password, account?.password_hash)
  if (right === undefined) return fail('too_busy', { retryAfterMs: busyMs })
  if (!right || account === undefined) return fail('wrong_credentials')
  const token = randomBytes(32).toString('base64url')
  const expires_at = new Date(now() + sessionTtlMs)
  await store.db
    .insertInto('sessions')
    .values({ token_hash: tokenHash(token), account_id: account.id, expires_at })
    .execute()
  return { token, expires_at: expires_at.toISOString() }
})

const logOut = impl.handler('logOut', async ({ input, caller, store }) => {
  const token = input.authorization.replace(/^bearer +/i, '')
  await store.db
    .deleteFrom('sessions')
    .where('token_hash', '=', tokenHash(token))
    .where('account_id', '=', caller.id)
    .execute()
})

const me = impl.handler('me', async ({ caller, store, fail }) => {
  const row = await store.db.selectFrom('accounts').selectAll().where('id', '=', caller.id).executeTakeFirst()
  return row === undefined ? fail('account_not_found') : accountOf(row)
})

const applications = impl.handler('applications', async ({ caller, store }) => {
  const rows = await store.db
    .selectFrom('applications')
    .selectAll()
    .where('account_id', '=', caller.id)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return { items: rows.map(applicationOf) }
})

const addApplication = impl.handler('addApplication', async (args) => {
  const { input, caller, store, fail, newId, now } = args
  const row = await store.transaction(async ({ db }) => {
    // One at a time for each account, so that they are counted right.
    const account = await db
      .selectFrom('accounts')
      .select('id')
      .where('id', '=', caller.id)
      .forUpdate()
      .executeTakeFirst()
    if (account === undefined) return fail('account_not_found')
    const have = await db.selectFrom('applications').select('id').where('account_id', '=', account.id).execute()
    if (have.length >= applicationsMax) return fail('too_many_applications')
    return await db
      .insertInto('applications')
      .values({ id: newId(), account_id: account.id, name: input.name, created_at: new Date(now()) })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
  return await keyOrNone(args, row)
})

const newKey = impl.handler('newKey', async (args) => {
  const row = (await ownApplication(args, args.input.id)) ?? args.fail('application_not_found')
  return await makeKey(args, row)
})

const removeApplication = impl.handler('removeApplication', async (args) => {
  const { call, store, fail } = args
  const row = (await ownApplication(args, args.input.id)) ?? fail('application_not_found')
  // The key first: an application that is gone must not leave one behind.
  if (row.key_id !== null) await call.access.revokeKey({ id: row.key_id })
  await store.db.deleteFrom('applications').where('id', '=', row.id).execute()
})

const verify = impl.handler('verify', async ({ input, store, fail, now }) => {
  const session = await store.db
    .selectFrom('sessions')
    .select(['account_id', 'expires_at'])
    .where('token_hash', '=', tokenHash(input.token))
    .where('expires_at', '>', new Date(now()))
    .executeTakeFirst()
  if (session === undefined) return fail('session_invalid')
  return { account_id: session.account_id, expires_at: session.expires_at.toISOString() }
})

export default impl.service({
  handlers: { signUp, logIn, logOut, me, applications, addApplication, newKey, removeApplication, verify },
  jobs: [
    impl.every('10 minutes', 'forget-ended-sessions', async ({ store, now }) => {
      await store.db.deleteFrom('sessions').where('expires_at', '<=', new Date(now())).execute()
    }),
  ],
})

async function ownApplication(
  { caller, store }: { readonly caller: Caller; readonly store: Store<AccountsTables> },
  id: string,
): Promise<ApplicationRow | undefined> {
  const rows = store.db.selectFrom('applications').selectAll().where('id', '=', id)
  return await rows.where('account_id', '=', caller.id).executeTakeFirst()
}

/** A token is random: a fast hash is enough. */
function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function normalised(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

function accountOf({ id, email, created_at }: AccountRow) {
  return { id, email, created_at: created_at.toISOString() }
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Services, startServices, user } from '../testing/services.ts'
import { attemptsMax, bucketOf, countAttempt, takeBackAttempt, windowMs } from './login-throttle.ts'
import { ensureOperator } from './operator.ts'
import { passwords } from './password.ts'
import { sessionsPerUserMax, sessionTtlMs } from './session.ts'
import type { AccountsTables } from './tables.ts'

const password = 'correct horse battery'
let services: Services
let people = 0

beforeAll(async () => {
  services = await startServices(['accounts'])
})
afterAll(() => services[Symbol.asyncDispose]())

const accounts = () => services.as({ kind: 'anonymous', id: '', scopes: [] }).accounts
const newEmail = () => `person-${++people}@example.org`

async function newUser() {
  return await accounts().signUp({ email: newEmail(), password, name: 'Ada' })
}

describe('an account', () => {
  it('is one for each e-mail address, however that is spelled', async () => {
    const { email } = await newUser()
    const again = await accounts().signUp.try({ email: email.toUpperCase(), password, name: 'Eve' })
    expect(again).toMatchObject({ ok: false, error: { code: 'email_taken', status: 409 } })
    expect(await accounts().logIn.try({ email: email.toUpperCase(), password })).toMatchObject({ ok: true })
  })

  it('is opened once when many ask for the same address at once', async () => {
    const email = newEmail()
    const tries = await Promise.all(
      Array.from({ length: 5 }, (_, i) => accounts().signUp.try({ email, password, name: `Ada ${i}` })),
    )
    expect(tries.filter((each) => each.ok).length).toBe(1)
    expect(tries.flatMap((each) => (each.ok ? [] : [each.error.code]))).toEqual(Array(4).fill('email_taken'))
  })

  it('keeps the password only as a hash that says what it cost', async () => {
    const { id } = await newUser()
    const { password_hash } = await services
      .store<AccountsTables>('accounts')
      .db.selectFrom('users')
      .select('password_hash')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(password_hash).toMatch(/^scrypt\$N=1024,r=8,p=3\$/)
    expect(password_hash).not.toContain(password)
  })

  it.each([
    ['short', 'aaaaaaaaa', false],
    ['long enough', 'aaaaaaaaaa', true],
    ['as long as may be', 'a'.repeat(200), true],
    ['too long', 'a'.repeat(201), false],
  ])('takes a password that is %s: %s', async (_, candidate, fits) => {
    const made = await accounts().signUp.try({ email: newEmail(), password: candidate, name: 'Ada' })
    expect(made.ok).toBe(fits)
  })

  it('is shown to its owner', async () => {
    const made = await newUser()
    expect(await services.as(user(made.id)).accounts.me({})).toEqual(made)
    expect(await accounts().me.try({})).toMatchObject({ error: { code: 'unauthenticated' } })
    expect(await services.as(user('made-up')).accounts.me.try({})).toMatchObject({ error: { code: 'user_not_found' } })
  })
})

describe('a session', () => {
  it('is opened by the right password and known by its token', async () => {
    const { id, email } = await newUser()
    const { token } = await accounts().logIn({ email, password })
    expect(await accounts().verify({ token })).toMatchObject({
      userId: id,
      scopes: ['orders:read', 'orders:write'],
    })
  })

  it('is stored without its token', async () => {
    const { id, email } = await newUser()
    const { token } = await accounts().logIn({ email, password })
    const rows = await services
      .store<AccountsTables>('accounts')
      .db.selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', id)
      .execute()
    expect(rows.length).toBe(1)
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(rows[0]?.token_hash.toString('base64url')).not.toBe(token)
  })

  it('ends when its owner signs out, and nobody else can end it', async () => {
    const [ada, eve] = [await newUser(), await newUser()]
    const { token } = await accounts().logIn({ email: ada.email, password })
    const authorization = `Bearer ${token}`
    await services.as(user(eve.id)).accounts.logOut({ authorization })
    expect(await accounts().verify.try({ token })).toMatchObject({ ok: true })
    await services.as(user(ada.id)).accounts.logOut({ authorization })
    expect(await accounts().verify.try({ token })).toMatchObject({ error: { code: 'session_invalid' } })
  })

  it('ends by itself, used or not, and is forgotten then', async () => {
    const { email, id } = await newUser()
    const { token } = await accounts().logIn({ email, password })
    services.pass(sessionTtlMs - 60_000)
    expect(await accounts().verify.try({ token })).toMatchObject({ ok: true })
    services.pass(61_000)
    expect(await accounts().verify.try({ token })).toMatchObject({ error: { code: 'session_invalid' } })
    await services.runJob('accounts', 'forget-ended-sessions')
    const { db } = services.store<AccountsTables>('accounts')
    expect(await db.selectFrom('sessions').selectAll().where('user_id', '=', id).execute()).toEqual([])
  })

  it('gives way, the oldest first, when its owner has too many', async () => {
    const { id } = await newUser()
    const { openSession, newToken } = await import('./session.ts')
    const { db } = services.store<AccountsTables>('accounts')
    const tokens = Array.from({ length: sessionsPerUserMax + 1 }, newToken)
    for (const [i, token] of tokens.entries()) await openSession(db, id, token, Date.now() + 365 * sessionTtlMs + i)
    const [oldest, second] = tokens as [string, string]
    expect(await accounts().verify.try({ token: oldest })).toMatchObject({ error: { code: 'session_invalid' } })
    expect(await accounts().verify.try({ token: second })).toMatchObject({ ok: true })
  })

  it('has the new scopes at once when they are changed', async () => {
    const { email } = await newUser()
    const { token } = await accounts().logIn({ email, password })
    await accounts().grant({ email, scopes: ['catalogue:write'] })
    expect((await accounts().verify({ token })).scopes).toEqual(['catalogue:write'])
  })
})

describe('log-in', () => {
  it('says the same of a wrong password and of an address that nobody has', async () => {
    const { email } = await newUser()
    const wrong = await accounts().logIn.try({ email, password: 'wrong horse battery' })
    const nobody = await accounts().logIn.try({ email: newEmail(), password })
    expect(wrong).toMatchObject({ ok: false, error: { code: 'wrong_credentials', status: 401 } })
    const told = (result: typeof wrong) => (result.ok ? undefined : { ...result.error.problem, traceId: undefined })
    expect(told(nobody)).toEqual(told(wrong))
  })

  it.each(['an account', 'nobody'])('closes an address of %s after too many attempts, for a while', async (whose) => {
    const email = whose === 'nobody' ? newEmail() : (await newUser()).email
    const attempts = await Promise.all(
      Array.from({ length: attemptsMax + 2 }, () => accounts().logIn.try({ email, password: 'wrong horse battery' })),
    )
    const codes = attempts.flatMap((each) => (each.ok ? ['ok'] : [each.error.code]))
    expect(codes.filter((code) => code === 'wrong_credentials').length).toBe(attemptsMax)
    expect(codes.filter((code) => code === 'too_many_attempts').length).toBe(2)
    const right = await accounts().logIn.try({ email, password })
    expect(right).toMatchObject({ ok: false, error: { code: 'too_many_attempts', status: 429 } })
    const { retryAfterMs = 0 } = right.ok ? {} : right.error
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(windowMs)
    services.pass(retryAfterMs)
    expect((await accounts().logIn.try({ email, password })).ok).toBe(whose !== 'nobody')
  })

  it('does not count an attempt whose password was not looked at', async () => {
    const { email } = await newUser()
    const { db } = services.store<AccountsTables>('accounts')
    const bucket = bucketOf(email)
    for (let i = 0; i < attemptsMax + 1; i++) {
      expect(await countAttempt(db, bucket, Date.now())).toBe(0)
      await takeBackAttempt(db, bucket)
    }
    expect(await accounts().logIn.try({ email, password })).toMatchObject({ ok: true })
  })

  it('does not stay closed for longer when the clock is put back', async () => {
    const { email } = await newUser()
    for (let i = 0; i <= attemptsMax; i++) await accounts().logIn.try({ email, password: 'wrong horse battery' })
    services.pass(-60 * 60_000)
    expect(await accounts().logIn.try({ email, password })).toMatchObject({ ok: true })
    services.pass(60 * 60_000)
  })

  it('forgets wrong attempts after a right one', async () => {
    const { email } = await newUser()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < attemptsMax / 2; i++) await accounts().logIn.try({ email, password: 'wrong horse battery' })
      expect(await accounts().logIn.try({ email, password })).toMatchObject({ ok: true })
    }
  })
})

describe('the operator of the store', () => {
  const options = {
    hash: passwords().hash,
    newId: () => '00000000-0000-7000-8000-00000000abcd',
    now: () => Date.now(),
    shopperScopes: ['orders:read'],
  }

  it('is named by the environment, and may change prices', async () => {
    const env = { STORE_OPERATOR_EMAIL: 'Boss@example.org', STORE_OPERATOR_PASSWORD: password }
    const store = services.store<AccountsTables>('accounts')
    await ensureOperator(store, { ...options, env })
    await ensureOperator(store, { ...options, env })
    const { token } = await accounts().logIn({ email: 'boss@example.org', password })
    expect((await accounts().verify({ token })).scopes).toContain('catalogue:write')
  })

  it('needs a password that is long enough, and exists only when it is named', async () => {
    const store = services.store<AccountsTables>('accounts')
    const env = { STORE_OPERATOR_EMAIL: 'x@example.org', STORE_OPERATOR_PASSWORD: 'short' }
    await expect(ensureOperator(store, { ...options, env })).rejects.toThrow(/STORE_OPERATOR_PASSWORD/)
    await expect(ensureOperator(store, { ...options, env: {} })).resolves.toBeUndefined()
  })
})

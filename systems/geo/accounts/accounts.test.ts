import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Services, startCustomers } from '../testing/services.ts'
import { accounts, applicationsMax } from './contract.ts'
import { passwords } from './password.ts'
import type { AccountsTables } from './tables.ts'

const password = 'correct horse battery'
let services: Services
let people = 0
beforeAll(async () => {
  services = await startCustomers()
})
afterAll(() => services?.[Symbol.asyncDispose]())
beforeEach(() => {
  services.access.down = undefined
})

const anybody = () => services.client(accounts, { kind: 'anonymous', id: '', scopes: [] })
const newEmail = () => `person-${++people}@example.org`
const signUp = (email = newEmail()) => anybody().signUp({ email, password })
const keysOf = (owner: string) => [...services.access.keys.values()].filter((key) => key.owner === owner)

describe('a sign-up', () => {
  it('makes an account, an application and a key on the free plan, of which no secret is kept', async () => {
    const { account, application, key } = await signUp()
    expect(keysOf(account.id)).toMatchObject([{ plan: 'free', prefix: application.key_prefix }])
    expect(key).toMatch(/^secret of/)
    const { db } = services.store<AccountsTables>('accounts')
    const rows = JSON.stringify([
      await db.selectFrom('accounts').selectAll().execute(),
      await db.selectFrom('applications').selectAll().execute(),
    ])
    expect(rows).toContain(account.id)
    for (const secret of [key, password]) expect(rows).not.toContain(secret)
  })

  it('is one for each e-mail address, however that is spelled and however many ask at once', async () => {
    const email = newEmail()
    const tries = await Promise.all(
      [email, email.toUpperCase(), email].map((each) => anybody().signUp.try({ email: each, password })),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(1)
    expect(tries.flatMap((each) => (each.ok ? [] : [each.error.code]))).toEqual(['email_taken', 'email_taken'])
  })

  it('has no key when none can be made now, and gets one later', async () => {
    services.access.down = 'createKey'
    const { account, application, key } = await signUp()
    expect([key, application.key_prefix]).toEqual([null, null])
    services.access.down = undefined
    const own = services.as(account.id).accounts
    const later = await own.newKey({ id: application.id })
    expect(later.key).toMatch(/^secret of/)
    expect((await own.newKey({ id: application.id })).key).toMatch(/^second of/)
    expect(keysOf(account.id).length).toBe(1)
  })
})

describe('an application', () => {
  it('gets a key on the plan that the account has', async () => {
    const { account } = await signUp()
    const own = services.as(account.id)
    await own.billing.subscribe({ plan: 'premium' })
    await own.accounts.addApplication({ name: 'Second' })
    expect(keysOf(account.id).map(({ plan }) => plan)).toEqual(['premium', 'premium'])
  })

  it('is one of at most so many, however many are added at once', async () => {
    const { account } = await signUp()
    const own = services.as(account.id).accounts
    const tries = await Promise.all(
      Array.from({ length: applicationsMax + 3 }, (_, n) => own.addApplication.try({ name: `App ${n}` })),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(applicationsMax - 1)
    expect(tries.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'too_many_applications', status: 409 } })
    expect((await own.applications({})).items.length).toBe(applicationsMax)
  })

  it('is its owner’s alone, and takes its key along when it goes', async () => {
    const [ada, eve] = [await signUp(), await signUp()]
    const { id } = ada.application
    const stranger = services.as(eve.account.id).accounts
    expect(await stranger.newKey.try({ id })).toMatchObject({ error: { code: 'application_not_found' } })
    expect(await stranger.removeApplication.try({ id })).toMatchObject({ error: { code: 'application_not_found' } })
    services.access.down = 'revokeKey'
    const own = services.as(ada.account.id).accounts
    expect((await own.removeApplication.try({ id })).ok).toBe(false)
    expect((await own.applications({})).items.length).toBe(1)
    services.access.down = undefined
    await own.removeApplication({ id })
    expect((await own.applications({})).items).toEqual([])
    expect(keysOf(ada.account.id)[0]?.revokedAt).not.toBeNull()
  })
})

describe('a session', () => {
  it('is opened by the right password alone, and says the same of a wrong one and of nobody', async () => {
    const email = newEmail()
    const { account } = await signUp(email)
    const { token } = await anybody().logIn({ email: email.toUpperCase(), password })
    expect(await services.client(accounts).verify({ token })).toMatchObject({ account_id: account.id })
    for (const wrong of [
      { email, password: 'wrong' },
      { email: newEmail(), password },
    ]) {
      expect(await anybody().logIn.try(wrong)).toMatchObject({ error: { code: 'wrong_credentials', status: 401 } })
    }
  })

  it('ends when its owner says so, and by itself after a day', async () => {
    const email = newEmail()
    const { account } = await signUp(email)
    const [first, second] = [await anybody().logIn({ email, password }), await anybody().logIn({ email, password })]
    await services.as(account.id).accounts.logOut({ authorization: `Bearer ${first.token}` })
    const verify = (token: string) => services.client(accounts).verify.try({ token })
    expect(await verify(first.token)).toMatchObject({ error: { code: 'session_invalid' } })
    expect(await verify(second.token)).toMatchObject({ ok: true })
    services.pass(24 * 60 * 60_000)
    expect(await verify(second.token)).toMatchObject({ error: { code: 'session_invalid' } })
    await services.runJob('accounts', 'forget-ended-sessions')
    expect(await services.store<AccountsTables>('accounts').db.selectFrom('sessions').selectAll().execute()).toEqual([])
  })
})

describe('passwords', () => {
  it('are told apart, and too many at once are not looked at', async () => {
    const { hash, verify } = passwords(() => 1024)
    const made = await hash(password)
    expect(await verify(password, made)).toBe(true)
    expect(await verify('another', made)).toBe(false)
    expect(await verify(password, undefined)).toBe(false)
    const many = await Promise.all(Array.from({ length: 40 }, () => verify(password, made)))
    expect(many.filter((right) => right === undefined).length).toBe(6)
  })
})

import { randomUUID } from 'node:crypto'
import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import ledgerService from '../ledger/service.ts'
import { sessionSeconds, wallets } from './contract.ts'
import service from './service.ts'
import type { WalletsTables } from './tables.ts'

const password = 'correct horse battery'
let services: StartedServices
let people = 0
beforeAll(async () => {
  process.env.WALLETS_PASSWORD_BLOCKS = '1024'
  services = await startServices([ledgerService, service])
})
afterAll(() => services?.[Symbol.asyncDispose]())

const anybody = () => services.client(wallets)
const as = (id: string) => services.client(wallets, { kind: 'user', id, scopes: ['payer'] } satisfies Caller)
const newEmail = () => `person-${++people}@example.org`
const signUp = (email = newEmail()) => anybody().signUp({ email, password, name: 'Ada' })
const eur = (value: string) => ({ currency_code: 'EUR', value })

describe('a wallet', () => {
  it('is one for each e-mail address, however that is spelled and however many ask at once', async () => {
    const email = newEmail()
    const tries = await Promise.all(
      [email, email.toUpperCase(), email].map((each) => anybody().signUp.try({ email: each, password, name: 'Ada' })),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(1)
    expect(tries.flatMap((each) => (each.ok ? [] : [each.error.code]))).toEqual(['email_taken', 'email_taken'])
  })

  it('is filled once for each request', async () => {
    const { payer_id } = await signUp()
    const request = { request_id: 'first', amount: eur('20') }
    await Promise.all([1, 2, 3].map(() => as(payer_id).topUp(request)))
    expect((await as(payer_id).me({})).balances).toEqual([{ available: eur('20.00'), held: eur('0.00') }])
    const other = await as(payer_id).topUp.try({ ...request, amount: eur('30') })
    expect(other).toMatchObject({ error: { code: 'request_id_reused' } })
    const wrong = await as(payer_id).topUp.try({ request_id: 'second', amount: eur('0.00') })
    expect(wrong).toMatchObject({ error: { code: 'cannot_be_zero_or_negative' } })
    // Enough of the largest amounts that can be written would fill the ledger's numbers, for everybody.
    const much = await as(payer_id).topUp.try({ request_id: 'third', amount: eur('1000000.01') })
    expect(much).toMatchObject({ error: { code: 'amount_too_large' } })
  })

  it('belongs to a payer and to nobody else', async () => {
    await signUp()
    for (const id of [randomUUID(), 'not-a-payer']) {
      expect(await as(id).me.try({})).toMatchObject({ error: { code: 'wallet_not_found' } })
    }
  })
})

describe('a session', () => {
  it('is opened with the right password alone, and ends', async () => {
    const { email, payer_id } = await signUp()
    for (const wrong of [
      { email, password: 'wrong' },
      { email: newEmail(), password },
    ]) {
      expect(await anybody().logIn.try(wrong)).toMatchObject({ error: { code: 'wrong_credentials', status: 401 } })
    }
    const { access_token: token } = await anybody().logIn({ email: email.toUpperCase(), password })
    expect(await anybody().verify({ token })).toMatchObject({ payer_id, name: 'Ada', email })
    await as(randomUUID()).logOut({ authorization: `Bearer ${token}` })
    expect((await anybody().verify.try({ token })).ok).toBe(true)
    await as(payer_id).logOut({ authorization: `Bearer ${token}` })
    expect(await anybody().verify.try({ token })).toMatchObject({ error: { code: 'session_invalid' } })
  })

  it('lasts an hour', async () => {
    const { access_token: token } = await anybody().makePayer({})
    services.pass(sessionSeconds * 1_000)
    expect(await anybody().verify.try({ token })).toMatchObject({ error: { code: 'session_invalid' } })
    await services.runJob('wallets', 'forget-ended-sessions')
    const { db } = services.store<WalletsTables>('wallets')
    expect(await db.selectFrom('sessions').select('payer_id').execute()).toEqual([])
  })

  it('leaves no password and no token in the database', async () => {
    const { email } = await signUp()
    const { access_token } = await anybody().logIn({ email, password })
    const { db } = services.store<WalletsTables>('wallets')
    const rows = JSON.stringify([
      await db.selectFrom('payers').selectAll().execute(),
      await db.selectFrom('sessions').selectAll().execute(),
    ])
    expect(rows).toContain(email)
    for (const secret of [password, access_token]) expect(rows).not.toContain(secret)
  })
})

const guess = (email: string, client_address?: string) =>
  anybody().logIn.try({ email, password: 'wrong', client_address })
type Tried = Awaited<ReturnType<typeof guess>>
const codeOf = (tried: Tried) => (tried.ok ? 'ok' : tried.error.code)
const waitOf = (tried: Tried) => (tried.ok ? 0 : (tried.error.retryAfterMs ?? 0))

/** Guesses, and waits as it is told, until the pauses grow no more; how long it was told to wait. */
const guessOn = async (email: string, addressOf: (n: number) => string | undefined = () => undefined) => {
  const waits: number[] = []
  for (let n = 0; n < 24; n += 1) {
    const waitMs = waitOf(await guess(email, addressOf(n)))
    if (n < 5) expect(waitMs).toBe(0)
    if (waitMs > 0) waits.push(waitMs)
    services.pass(waitMs)
  }
  await guess(email, addressOf(waits.length))
  return waits
}

describe('whoever guesses passwords', () => {
  it.each(['somebody', 'nobody'])(
    'is made to wait for an account that %s has, from wherever, longer each time up to half a minute',
    async (who) => {
      const email = who === 'somebody' ? (await signUp()).email : newEmail()
      const waits = await guessOn(email, (n) => `192.0.2.${n}`)
      expect(Math.max(...waits)).toBeLessThanOrEqual(30_000)
      expect(waits[0]).toBeLessThanOrEqual(4_000)
      expect(waits.at(-1)).toBeGreaterThan(16_000)
      const refused = await anybody().logIn.try({ email, password })
      expect(refused).toMatchObject({ error: { code: 'too_many_attempts', status: 429 } })
      services.pass(30_000)
      expect((await anybody().logIn.try({ email, password })).ok).toBe(who === 'somebody')
    },
  )

  it('is one at the end of a pause, however many come at once', async () => {
    const { email } = await signUp()
    await guessOn(email)
    services.pass(30_000)
    const codes = (await Promise.all([1, 2, 3, 4].map(() => guess(email)))).map(codeOf)
    expect(codes.toSorted()).toEqual([...Array(3).fill('too_many_attempts'), 'wrong_credentials'])
  })

  it('is not held up for the hour by which the clock is put back', async () => {
    const { email } = await signUp()
    await guessOn(email)
    services.pass(-3_600_000)
    expect((await anybody().logIn.try({ email, password })).ok).toBe(true)
    services.pass(3_600_000)
  })

  it('does not hold up the payer at an address where that one has signed in before', async () => {
    const { email } = await signUp()
    const home = { email, password, client_address: '2001:db8::1' }
    await anybody().logIn(home)
    await guessOn(email)
    expect(codeOf(await guess(email))).toBe('too_many_attempts')
    expect((await anybody().logIn.try(home)).ok).toBe(true)
    // Whoever shares that address has tries of its own.
    await guessOn(email, () => home.client_address)
    expect(codeOf(await guess(email, home.client_address))).toBe('too_many_attempts')
  })

  it('is forgotten after an hour, and a familiar address after ninety days', async () => {
    const { email } = await signUp()
    await anybody().logIn({ email, password, client_address: '2001:db8::2' })
    await guessOn(email)
    const { db } = services.store<WalletsTables>('wallets')
    const left = async () => {
      await services.runJob('wallets', 'forget-guesses')
      return await db.selectFrom('guesses').select('familiar_until').execute()
    }
    expect((await left()).some(({ familiar_until }) => familiar_until === null)).toBe(true)
    services.pass(3_600_001)
    for (let free = 0; free < 5; free += 1) expect(codeOf(await guess(email))).toBe('wrong_credentials')
    services.pass(3_600_001)
    const familiar = await left()
    expect(familiar.length).toBeGreaterThan(0)
    expect(familiar.every(({ familiar_until }) => familiar_until !== null)).toBe(true)
    services.pass(90 * 24 * 3_600_000)
    expect(await left()).toEqual([])
  })
})

describe('an address from which a payer has signed in', () => {
  it('stays familiar for ninety days, whether or not somebody mistypes there', async () => {
    const { email } = await signUp()
    const home = { email, password, client_address: '2001:db8::3' }
    await anybody().logIn(home)
    expect(codeOf(await guess(email, home.client_address))).toBe('wrong_credentials')
    services.pass(3_600_001)
    await services.runJob('wallets', 'forget-guesses')
    await guessOn(email)
    expect(codeOf(await guess(email))).toBe('too_many_attempts')
    expect(codeOf(await guess(email, home.client_address))).toBe('wrong_credentials')
    services.pass(90 * 24 * 3_600_000)
    await services.runJob('wallets', 'forget-guesses')
    await guessOn(email)
    expect(codeOf(await guess(email, home.client_address))).toBe('too_many_attempts')
  })
})

describe('a payer made for a test', () => {
  it('is signed in and has money', async () => {
    const { payer_id, access_token, email, password: made } = await anybody().makePayer({ balance: eur('99.99') })
    expect((await anybody().verify({ token: access_token })).payer_id).toBe(payer_id)
    expect((await as(payer_id).me({})).balances).toMatchObject([{ available: eur('99.99') }])
    expect((await anybody().logIn.try({ email, password: made })).ok).toBe(true)
    const wrong = await anybody().makePayer.try({ balance: { currency_code: 'XXX', value: '1' } })
    expect(wrong).toMatchObject({ error: { code: 'currency_not_supported' } })
  })
})

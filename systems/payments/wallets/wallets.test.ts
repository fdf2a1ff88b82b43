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

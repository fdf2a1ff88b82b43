import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { sql } from 'trestle/store'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ledger } from './contract.ts'
import service from './service.ts'
import type { LedgerTables } from './tables.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([service])
})
afterAll(() => services?.[Symbol.asyncDispose]())

const books = () => services.client(ledger)
const eur = (value: string) => ({ currency_code: 'EUR', value })
const sum = (value: string) => ({ currency_code: 'EUR', value })

/** A payment of somebody who has so much. */
async function paymentOf(value: string) {
  const payment = { payer_id: randomUUID(), merchant_id: `m-${randomUUID()}`, order_id: randomUUID() }
  await books().topUp({ id: randomUUID(), payer_id: payment.payer_id, amount: eur(value) })
  return payment
}

const has = async (payer_id: string) => (await books().balances({ payer_id })).balances
const merchantOf = (tenant: string) => services.client(ledger, { kind: 'key', id: 'c', tenant, scopes: ['payments'] })
const earned = async (merchant_id: string) => {
  return (await merchantOf(merchant_id).entries({})).items.map(({ type, amount, balance }) => [
    type,
    amount.value,
    balance.value,
  ])
}

async function expectNoFaults() {
  const { currencies, faults } = await books().trialBalance({})
  for (const { debits, credits } of currencies) expect(debits).toEqual(credits)
  expect(Object.values(faults)).toEqual([0, 0, 0, 0])
}

describe('money', () => {
  it('goes from the wallet on hold, to the merchant, what is left back, and a refund back too', async () => {
    const payment = await paymentOf('100')
    const [hold_id, capture_id] = [randomUUID(), randomUUID()]
    await books().hold({ ...payment, id: hold_id, amount: eur('60') })
    expect(await has(payment.payer_id)).toEqual([{ available: sum('40.00'), held: sum('60.00') }])
    await books().capture({ ...payment, id: capture_id, hold_id, amount: eur('45.50') })
    expect(await has(payment.payer_id)).toEqual([{ available: sum('54.50'), held: sum('0.00') }])
    await books().refund({ ...payment, id: randomUUID(), capture_id, amount: eur('5.50') })
    expect(await has(payment.payer_id)).toEqual([{ available: sum('60.00'), held: sum('0.00') }])
    expect(await earned(payment.merchant_id)).toEqual([
      ['CREDIT', '45.50', '45.50'],
      ['DEBIT', '5.50', '40.00'],
    ])
    await expectNoFaults()
  })

  it('moves once for each id, however often and however much at once it is asked for', async () => {
    const payment = await paymentOf('100')
    const request = { ...payment, id: randomUUID(), amount: eur('70') }
    await Promise.all(Array.from({ length: 8 }, () => books().capture(request)))
    expect(await has(payment.payer_id)).toEqual([{ available: sum('30.00'), held: sum('0.00') }])
    expect(await earned(payment.merchant_id)).toEqual([['CREDIT', '70.00', '70.00']])
  })

  it('is not moved under an id that stands for something else', async () => {
    const payment = await paymentOf('100')
    const request = { ...payment, id: randomUUID(), amount: eur('70') }
    await books().capture(request)
    const other = await books().capture.try({ ...request, amount: eur('20') })
    expect(other).toMatchObject({ ok: false, error: { code: 'id_reused' } })
  })

  it('that was refused once is refused for good: a late repetition must not move it', async () => {
    const payment = await paymentOf('10')
    const request = { ...payment, id: randomUUID(), amount: eur('70') }
    expect(await books().hold.try(request)).toMatchObject({ error: { code: 'insufficient_funds' } })
    await books().topUp({ id: randomUUID(), payer_id: payment.payer_id, amount: eur('1000') })
    expect(await books().hold.try(request)).toMatchObject({ error: { code: 'insufficient_funds' } })
    expect((await books().hold.try({ ...request, id: randomUUID() })).ok).toBe(true)
  })

  it('is never spent twice when many ask at once', async () => {
    const payment = await paymentOf('100')
    const tries = await Promise.all(
      Array.from({ length: 12 }, () => books().capture.try({ ...payment, id: randomUUID(), amount: eur('30') })),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(3)
    expect(await has(payment.payer_id)).toEqual([{ available: sum('10.00'), held: sum('0.00') }])
    await expectNoFaults()
  })

  it('does not wait for each other when payers and merchants cross', async () => {
    const [a, b] = [await paymentOf('500'), await paymentOf('500')]
    const crossed = { ...a, merchant_id: b.merchant_id }
    const captures = [a, b, crossed, { ...b, merchant_id: a.merchant_id }]
    await Promise.all(
      Array.from({ length: 24 }, async (_, i) => {
        const payment = captures[i % captures.length] ?? a
        const [hold_id, capture_id] = [randomUUID(), randomUUID()]
        await books().hold({ ...payment, id: hold_id, amount: eur('10') })
        await books().capture({ ...payment, id: capture_id, hold_id, amount: eur('9') })
        await books().refund({ ...payment, id: randomUUID(), capture_id, amount: eur('9') })
      }),
    )
    for (const { payer_id } of [a, b]) expect(await has(payer_id)).toMatchObject([{ available: sum('500.00') }])
    await expectNoFaults()
  })

  it('of a currency without a smaller unit is counted in whole ones', async () => {
    const payer_id = randomUUID()
    await books().topUp({ id: 'yen', payer_id, amount: { currency_code: 'JPY', value: '5000' } })
    expect(await has(payer_id)).toMatchObject([{ available: { currency_code: 'JPY', value: '5000' } }])
  })
})

describe('a hold', () => {
  it('gives at most what was put in', async () => {
    const payment = await paymentOf('100')
    const hold_id = randomUUID()
    await books().hold({ ...payment, id: hold_id, amount: eur('50') })
    const part = { ...payment, hold_id, amount: eur('30'), final: false }
    await books().capture({ ...part, id: randomUUID() })
    expect(await books().capture.try({ ...part, id: randomUUID() })).toMatchObject({
      error: { code: 'insufficient_funds' },
    })
    await books().capture({ ...part, id: randomUUID(), amount: eur('20') })
    expect(await has(payment.payer_id)).toEqual([{ available: sum('50.00'), held: sum('0.00') }])
  })

  it('is released once, and gives nothing afterwards', async () => {
    const payment = await paymentOf('100')
    const hold_id = randomUUID()
    await books().release({ id: hold_id })
    await books().hold({ ...payment, id: hold_id, amount: eur('50') })
    await Promise.all([1, 2, 3].map(() => books().release({ id: hold_id })))
    expect(await has(payment.payer_id)).toEqual([{ available: sum('100.00'), held: sum('0.00') }])
    const late = await books().capture.try({ ...payment, id: randomUUID(), hold_id, amount: eur('1') })
    expect(late).toMatchObject({ error: { code: 'insufficient_funds' } })
  })
})

describe('the laws of the ledger', () => {
  it('hold after any sequence of requests', async () => {
    const request = fc.record({
      kind: fc.constantFrom('top-up', 'hold', 'capture', 'capture of a hold', 'release', 'refund'),
      payer: fc.nat({ max: 1 }),
      pick: fc.nat({ max: 5 }),
      cents: fc.integer({ min: 1, max: 20_000 }),
      currency: fc.constantFrom('EUR', 'USD'),
      final: fc.boolean(),
    })
    expect.hasAssertions()
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 5, maxLength: 30 }), async (requests) => {
        const payments = [await paymentOf('100'), await paymentOf('100')]
        const holds: string[] = []
        const captures: string[] = []
        for (const { kind, payer, pick, cents, currency, final } of requests) {
          const payment = payments[payer] ?? payments[0]
          if (payment === undefined) continue
          const id = randomUUID()
          const amount = { currency_code: currency, value: (cents / 100).toFixed(2) }
          const hold_id = holds[pick] ?? id
          const capture_id = captures[pick] ?? id
          if (kind === 'top-up') await books().topUp({ id, payer_id: payment.payer_id, amount })
          if (kind === 'hold' && (await books().hold.try({ ...payment, id, amount })).ok) holds.push(id)
          if (kind === 'release') await books().release({ id: hold_id })
          if (kind === 'capture' && (await books().capture.try({ ...payment, id, amount })).ok) captures.push(id)
          if (kind === 'capture of a hold') await books().capture.try({ ...payment, id, hold_id, amount, final })
          if (kind === 'refund') await books().refund.try({ ...payment, id, capture_id, amount })
        }
        await expectNoFaults()
        const { rows } = await sql`
          select a.id from accounts a
          cross join lateral (select balance from entries where account_id = a.id order by number desc limit 1) as last
          where a.kind = 'hold' and (last.balance > 0) <> exists (
            select from open_holds h where h.account_id = a.id and h.payer_id = a.payer_id
          )`.execute(services.store('ledger').db)
        expect(rows).toEqual([])
      }),
      { numRuns: 15 },
    )
  })

  it('are kept by the database: nothing in it is changed or deleted', async () => {
    const { db } = services.store<LedgerTables>('ledger')
    await paymentOf('1')
    const changes = [
      sql`update entries set amount = amount * 2`,
      sql`delete from entries`,
      sql`update transactions set amount = 1`,
      sql`delete from transactions`,
      sql`update accounts set owner = 'me'`,
      sql`truncate entries`,
    ]
    for (const change of changes)
      await expect(change.execute(db)).rejects.toThrow(/permission denied|what is in the ledger stays/)
  })

  it('are kept by the database: debits without credits, overdrafts and wrong balances are not written', async () => {
    const store = services.store<LedgerTables>('ledger')
    const { payer_id, merchant_id, order_id } = await paymentOf('10')
    const wallet = await store.db
      .selectFrom('accounts')
      .innerJoin('entries', 'entries.account_id', 'accounts.id')
      .selectAll()
      .where('owner', '=', payer_id)
      .executeTakeFirstOrThrow()
    const other = await paymentOf('10')
    const otherWallet = await store.db
      .selectFrom('accounts')
      .select('id')
      .where('owner', '=', other.payer_id)
      .executeTakeFirstOrThrow()
    const attempt = (entries: readonly { account_id: string; amount: string; balance: string }[], amount = '500') =>
      store.transaction(async ({ db }) => {
        const reference = `capture:${randomUUID()}`
        const payment = { payer_id, merchant_id, order_id, invoice_id: null }
        const row = { reference, about: null, amount, currency: 'EUR', refused: null, ...payment, at: new Date() }
        await db.insertInto('transactions').values(row).execute()
        if (entries.length === 0) return
        await db
          .insertInto('entries')
          .values(entries.map((entry) => ({ ...entry, reference, currency: 'EUR', number: wallet.number + 1 })))
          .execute()
      })
    const out = { account_id: wallet.account_id, amount: '-500', balance: '500' }
    const into = { account_id: otherWallet.id, amount: '500', balance: '1500' }
    await expect(attempt([])).rejects.toThrow(/not balanced/)
    await expect(attempt([out])).rejects.toThrow(/not balanced/)
    await expect(attempt([out, { ...into, amount: '600', balance: '1600' }])).rejects.toThrow(/not balanced/)
    await expect(attempt([out, into], '400')).rejects.toThrow(/not balanced/)
    await expect(attempt([{ ...out, balance: '600' }, into])).rejects.toThrow(/does not go on/)
    const overdrawn = [
      { ...out, amount: '-1001', balance: '-1' },
      { ...into, amount: '1001', balance: '2001' },
    ]
    await expect(attempt(overdrawn, '1001')).rejects.toThrow(/overdrawn/)
    await attempt([out, into])
    await expectNoFaults()
  })

  it('are kept by the database: more than was captured is not given back', async () => {
    const payment = await paymentOf('100')
    const [first, second] = [randomUUID(), randomUUID()]
    await books().capture({ ...payment, id: first, amount: eur('10') })
    await books().capture({ ...payment, id: second, amount: eur('10') })
    const refund = { ...payment, capture_id: first, amount: eur('6') }
    await books().refund({ ...refund, id: randomUUID() })
    expect((await books().refund.try({ ...refund, id: randomUUID() })).ok).toBe(false)
    expect((await books().refund.try({ ...refund, id: randomUUID(), capture_id: randomUUID() })).ok).toBe(false)
    expect(await has(payment.payer_id)).toMatchObject([{ available: sum('86.00') }])
  })
})

describe('the entries of a merchant', () => {
  it('are found by order and by invoice, page by page, and are nobody else’s', async () => {
    const payment = await paymentOf('100')
    const own = merchantOf(payment.merchant_id)
    for (const invoice_id of ['A', 'B', 'C'])
      await books().capture({ ...payment, order_id: randomUUID(), invoice_id, id: randomUUID(), amount: eur('5') })
    expect((await own.entries({ invoice_id: 'B' })).items).toMatchObject([{ type: 'CREDIT', invoice_id: 'B' }])
    expect((await own.entries({ order_id: payment.order_id })).items).toEqual([])
    expect((await merchantOf('somebody-else').entries({ invoice_id: 'B' })).items).toEqual([])
    const first = await own.entries({ limit: 2 })
    const rest = await own.entries({ limit: 2, ...(first.next === null ? {} : { cursor: first.next }) })
    expect([...first.items, ...rest.items].map((entry) => entry.invoice_id)).toEqual(['A', 'B', 'C'])
    expect(rest.next).toBeNull()
    const foreign = await own.entries.try({ limit: 2, invoice_id: 'A', cursor: first.next ?? '' })
    expect(foreign).toMatchObject({ error: { code: 'cursor_invalid' } })
  })

  it('go on from one currency to the next', async () => {
    const payment = await paymentOf('100')
    const own = merchantOf(payment.merchant_id)
    for (const currency_code of ['USD', 'EUR', 'GBP']) {
      const amount = { currency_code, value: '9.00' }
      await books().topUp({ id: currency_code, payer_id: payment.payer_id, amount })
      for (let n = 0; n < 3; n++) {
        await books().capture({ ...payment, id: randomUUID(), amount: { currency_code, value: `${n + 1}.00` } })
      }
    }
    const listed = async (about: { readonly order_id?: string }) => {
      const seen: string[] = []
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await own.entries({ ...about, limit: 2, ...(cursor === undefined ? {} : { cursor }) })
        seen.push(...page.items.map(({ amount }) => `${amount.currency_code} ${amount.value}`))
        cursor = page.next
      }
      return seen
    }
    const all = ['EUR', 'GBP', 'USD'].flatMap((each) => [`${each} 1.00`, `${each} 2.00`, `${each} 3.00`])
    expect(await listed({})).toEqual(all)
    expect(await listed({ order_id: payment.order_id })).toEqual(all)
  })
})

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Caller } from 'trestle/service'
import { split, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ledger } from './ledger/contract.ts'
import { orders } from './orders/contract.ts'
import { wallets } from './wallets/contract.ts'

process.env.PAYMENTS_SWITCHES = 'on'
process.env.WALLETS_PASSWORD_BLOCKS = '1024'

const payers = 30
const patienceMs = 90_000
const merchant: Caller = { kind: 'key', id: 'store', tenant: 'store', scopes: ['payments'] }
const eur = (value: string) => ({ currency_code: 'EUR', value })

describe('payments, when processes are killed while people pay', () => {
  let payments: TestSystem
  beforeAll(async () => {
    payments = await split.start(new URL('./system.ts', import.meta.url))
  })
  afterAll(() => payments?.stop())

  it('are made once: what merchants, payers and the ledger say is the same', async () => {
    let ended = 0
    const paying = Array.from({ length: payers }, async (_, n) => {
      const paid = await payAndRefund(payments, n)
      ended++
      return paid
    })
    for (const [at, service] of [
      [0, 'ledger'],
      [6, 'orders'],
      [12, 'wallets'],
      [18, 'ledger'],
    ] as const) {
      await until(() => ended >= at)
      await payments.kill(service)
    }
    for (const { invoice_id, payer_id } of await Promise.all(paying)) {
      const booked = await patiently(() => payments.client(ledger, merchant).entries.try({ invoice_id }))
      expect(booked.items.map(({ type, amount }) => `${type} ${amount.value}`)).toEqual(['CREDIT 30.00', 'DEBIT 10.00'])
      const { balances } = await patiently(() => payments.client(ledger).balances.try({ payer_id }))
      expect(balances).toEqual([{ available: eur('80.00'), held: eur('0.00') }])
    }
    const { currencies, faults } = await payments.client(ledger).trialBalance({})
    for (const { debits, credits } of currencies) expect(debits).toEqual(credits)
    expect(Object.values(faults)).toEqual([0, 0, 0, 0])
  }, 180_000)
})

/** Somebody with 100.00 authorizes 50.00, of which 30.00 are captured and 10.00 refunded. Each is asked for until it is done. */
async function payAndRefund(payments: TestSystem, n: number) {
  const invoice_id = `invoice-${n}`
  const shop = payments.client(orders, merchant)
  const { payer_id } = await patiently(() => payments.client(wallets).makePayer.try({ balance: eur('100') }))
  const { body: order } = await patiently(() =>
    shop.create.try({
      request_id: `create-${n}`,
      intent: 'AUTHORIZE',
      purchase_units: [{ amount: eur('50'), invoice_id }],
    }),
  )
  const payer: Caller = { kind: 'user', id: payer_id, scopes: ['payer'] }
  await patiently(() => payments.client(orders, payer).approve.try({ id: order.id }))
  const authorized = await patiently(() => shop.authorize.try({ id: order.id, request_id: `authorize-${n}` }))
  const authorization = authorized.body.purchase_units[0]?.payments?.authorizations[0]?.id ?? randomUUID()
  const { body: capture } = await patiently(() =>
    shop.captureAuthorization.try({
      id: authorization,
      request_id: `capture-${n}`,
      amount: eur('30'),
      final_capture: true,
    }),
  )
  const refund = { id: capture.id, request_id: `refund-${n}`, amount: eur('10') }
  const { body } = await patiently(() => shop.refundCapture.try(refund))
  expect(await patiently(() => shop.refundCapture.try(refund))).toEqual({ status: 200, body })
  return { invoice_id, payer_id }
}

/** Asks until there is an answer; what is refused is an error at once. */
async function patiently<T>(
  ask: () => Promise<
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: Error & { readonly code: string; readonly declared: boolean } }
  >,
): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    const result = await ask()
    if (result.ok) return result.value
    if (result.error.declared || performance.now() > end) throw result.error
    await setTimeout(100)
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs
  while (!condition()) {
    if (performance.now() > end) throw new Error('what was waited for has not come')
    await setTimeout(10)
  }
}

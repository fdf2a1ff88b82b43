import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Checkout, startCheckout } from '../testing/checkout.ts'
import { abandonedMs } from './tidy.ts'

let checkout: Checkout
beforeAll(async () => {
  checkout = await startCheckout()
})
afterAll(() => checkout?.[Symbol.asyncDispose]())

const step = fc.record({
  kind: fc.constantFrom(
    'authorize',
    'capture',
    'capture',
    'capture',
    'void',
    'refund',
    'refund',
    'refund',
    'call-off',
    'top-up',
  ),
  request: fc.nat({ max: 3 }),
  cents: fc.integer({ min: 1, max: 5_000 }),
  final: fc.boolean(),
  crash: fc.constantFrom('no', 'no', 'no', 'before', 'after'),
  /** Sent beside the one before it, without waiting. */
  atOnce: fc.boolean(),
})

const minor = (value: string | undefined) => Math.round(Number(value ?? 0) * 100)

function die(): never {
  throw new Error('a crash')
}

/** What a run of steps does to one order of 50.00 whose payer has 80.00. */
async function run(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  const merchant = checkout.merchant()
  const payer = await checkout.payer('80.00')
  const amount = { currency_code: 'EUR', value: '50.00' }
  const { body } = await merchant.orders.create({
    request_id: 'create',
    intent: 'AUTHORIZE',
    purchase_units: [{ amount }],
  })
  await payer.orders.approve({ id: body.id })
  const payments = async () => (await merchant.orders.find({ id: body.id })).purchase_units[0]?.payments
  let topped = 0
  const work: Promise<unknown>[] = []
  for (const [n, { kind, request, cents, final, crash, atOnce }] of steps.entries()) {
    const shown = await payments()
    const part = { currency_code: 'EUR', value: (cents / 100).toFixed(2) }
    const asked = { request_id: `${kind}-${request}` }
    const authorization = { id: shown?.authorizations[0]?.id ?? randomUUID(), ...asked }
    const capture = { id: shown?.captures[0]?.id ?? randomUUID(), ...asked, ...(final ? {} : { amount: part }) }
    if (crash !== 'no') {
      checkout.watch((call) => {
        if (call.contract !== 'ledger@1' || call.from !== 'orders') return undefined
        return crash === 'after' ? die : die()
      })
    }
    const send = {
      authorize: () => merchant.orders.authorize.try({ id: body.id, ...asked }),
      capture: () => merchant.orders.captureAuthorization.try({ ...authorization, amount: part, final_capture: final }),
      void: () => merchant.orders.voidAuthorization.try(authorization),
      refund: () => merchant.orders.refundCapture.try(capture),
      'call-off': () => merchant.orders.voidOrder.try({ id: body.id }),
      'top-up': () => payer.wallet.topUp({ request_id: `top-up-${n}`, amount: part }),
    }[kind]
    if (kind === 'top-up') topped += cents
    work.push(send())
    if (!atOnce || crash !== 'no') await Promise.all(work)
    checkout.watch(undefined)
  }
  await Promise.all(work)
  checkout.pass(abandonedMs + 1)
  await checkout.runJob('orders', 'settle-abandoned')
  const order = await merchant.orders.find({ id: body.id })
  const { items: entries } = await merchant.ledger.entries({ order_id: body.id, limit: 100 })
  const [balance] = (await payer.wallet.me({})).balances
  return { order, entries, balance, has: 8_000 + topped, published: await checkout.published(body.id) }
}

describe('whatever is asked of an order, however often, at once and with crashes in between', () => {
  it('captured never exceeds authorized, refunded never exceeds captured, and the ledger says the same', async () => {
    const seen = { captures: 0, refunds: 0, voids: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (rest) => {
        const steps = [
          { kind: 'authorize', request: 0, cents: 1, final: true, crash: 'no', atOnce: false } as const,
          ...rest,
        ]
        const { order, entries, balance, has, published } = await run(steps)
        const { authorizations = [], captures = [], refunds = [] } = order.purchase_units[0]?.payments ?? {}
        const sum = (each: readonly { readonly amount: { readonly value: string } }[]) =>
          each.reduce((total, { amount }) => total + minor(amount.value), 0)
        expect(authorizations.length).toBeLessThanOrEqual(1)
        expect(sum(captures)).toBeLessThanOrEqual(sum(authorizations))
        for (const { id } of captures) {
          const own = refunds.filter((refund) => refund.supplementary_data.related_ids.capture_id === id)
          expect(sum(own)).toBeLessThanOrEqual(sum(captures.filter((each) => each.id === id)))
        }
        const booked = (type: string) => sum(entries.filter((entry) => entry.type === type))
        expect([booked('CREDIT'), booked('DEBIT')]).toEqual([sum(captures), sum(refunds)])
        const isOpen = ['CREATED', 'PARTIALLY_CAPTURED'].includes(authorizations[0]?.status ?? '')
        const held = isOpen ? sum(authorizations) - sum(captures) : 0
        expect(minor(balance?.held.value)).toBe(held)
        expect(minor(balance?.available.value)).toBe(has - sum(captures) + sum(refunds) - held)
        const times = (name: string) => published.filter((each) => each === name).length
        expect(times('authorizationCreated')).toBe(authorizations.length)
        expect(times('captureCompleted')).toBe(captures.length)
        expect(times('captureRefunded')).toBe(refunds.length)
        expect(Object.values((await checkout.trialBalance()).faults)).toEqual([0, 0, 0, 0])
        seen.captures += captures.length
        seen.refunds += refunds.length
        seen.voids += times('authorizationVoided')
      }),
      { numRuns: 30 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5)
  })
})

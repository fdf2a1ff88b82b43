import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'trestle/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Checkout, startCheckout } from '../testing/checkout.ts'
import { orders } from './contract.ts'
import { orderMs } from './create.ts'
import { movementsMax } from './decide.ts'
import { authorizationMs } from './move.ts'
import type { OrdersTables } from './tables.ts'
import { abandonedMs } from './tidy.ts'

let checkout: Checkout
beforeAll(async () => {
  checkout = await startCheckout()
})
afterAll(() => checkout?.[Symbol.asyncDispose]())
afterEach(async () => {
  checkout.watch(undefined)
  await checkout.switches.reset({})
})

type Merchant = ReturnType<Checkout['merchant']>
type Payer = Awaited<ReturnType<Checkout['payer']>>
const eur = (value: string) => ({ currency_code: 'EUR', value })
const newRequest = () => randomUUID()

/** An order for `value` that a payer with a hundred euro has approved. */
async function approved(intent: 'CAPTURE' | 'AUTHORIZE', value = '60.00', merchant = checkout.merchant()) {
  const payer = await checkout.payer('100')
  const invoice_id = randomUUID()
  const { body } = await merchant.orders.create({
    request_id: newRequest(),
    intent,
    purchase_units: [{ amount: eur(value), invoice_id, custom_id: 'mine' }],
  })
  await payer.orders.approve({ id: body.id })
  return { merchant, payer, id: body.id, invoice_id }
}

async function authorized(value = '60.00') {
  const made = await approved('AUTHORIZE', value)
  const { body } = await made.merchant.orders.authorize({ id: made.id, request_id: newRequest() })
  return { ...made, authorization: body.purchase_units[0]?.payments?.authorizations[0]?.id ?? '' }
}

async function captured(value = '60.00', merchant = checkout.merchant()) {
  const made = await approved('CAPTURE', value, merchant)
  const { body } = await made.merchant.orders.capture({ id: made.id, request_id: newRequest() })
  return { ...made, capture: body.purchase_units[0]?.payments?.captures[0]?.id ?? '' }
}

const balance = async (payer: Payer) => {
  const [{ available, held } = { available: undefined, held: undefined }] = (await payer.wallet.me({})).balances
  return [available?.value, held?.value]
}
const earned = async (merchant: Merchant) => {
  const { items } = await merchant.ledger.entries({})
  return items.map(({ type, amount }) => `${type} ${amount.value}`)
}
const code = (result: { readonly ok: boolean; readonly error?: { readonly code: string } }) =>
  result.ok ? 'ok' : result.error?.code
function crash(): never {
  throw new Error('a crash')
}

function counted(values: readonly (string | number | undefined)[]) {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

/** How many wait for a row that somebody else may be about to write. */
async function waitingInserts(db: Kysely<OrdersTables>): Promise<number> {
  const { rows } = await sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into "requests"%'`.execute(
    db,
  )
  return rows.length
}

async function expectBooksBalance() {
  const { currencies, faults } = await checkout.trialBalance()
  for (const { debits, credits } of currencies) expect(debits).toEqual(credits)
  expect(Object.values(faults)).toEqual([0, 0, 0, 0])
}

describe('an order', () => {
  it('is created, approved and captured, and the merchant has the money', async () => {
    const merchant = checkout.merchant()
    const payer = await checkout.payer('100')
    const created = await merchant.orders.create({
      request_id: newRequest(),
      intent: 'CAPTURE',
      purchase_units: [{ amount: eur('19.9'), description: 'A lamp', invoice_id: 'I-1' }],
      application_context: { return_url: 'https://shop.example/done' },
    })
    expect(created).toMatchObject({
      status: 201,
      body: {
        status: 'CREATED',
        purchase_units: [{ amount: eur('19.90'), payee: { merchant_id: merchant.id }, reference_id: 'default' }],
      },
    })
    const { id, links } = created.body
    expect(links.map(({ rel }) => rel)).toEqual(['self', 'approve', 'capture'])
    expect(links[1]?.href).toBe(`/checkoutnow?token=${id}`)
    expect(await payer.orders.approve({ id })).toMatchObject({ status: 'APPROVED', payer: { payer_id: payer.id } })
    const paid = await merchant.orders.capture({ id, request_id: newRequest() })
    expect(paid).toMatchObject({
      status: 201,
      body: {
        status: 'COMPLETED',
        purchase_units: [
          { payments: { captures: [{ status: 'COMPLETED', amount: eur('19.90'), invoice_id: 'I-1' }] } },
        ],
      },
    })
    expect(await merchant.orders.find({ id })).toEqual(paid.body)
    expect(await balance(payer)).toEqual(['80.10', '0.00'])
    expect(await earned(merchant)).toEqual(['CREDIT 19.90'])
  })

  it('is authorized, captured in parts, and what is left goes back', async () => {
    const { merchant, payer, authorization } = await authorized()
    expect(await balance(payer)).toEqual(['40.00', '60.00'])
    const part = { id: authorization, amount: eur('20') }
    expect((await merchant.orders.captureAuthorization({ ...part, request_id: newRequest() })).body).toMatchObject({
      status: 'COMPLETED',
      final_capture: false,
    })
    expect(await merchant.orders.findAuthorization({ id: authorization })).toMatchObject({
      status: 'PARTIALLY_CAPTURED',
    })
    await merchant.orders.captureAuthorization({ ...part, final_capture: true, request_id: newRequest() })
    expect(await merchant.orders.findAuthorization({ id: authorization })).toMatchObject({ status: 'CAPTURED' })
    expect(await balance(payer)).toEqual(['60.00', '0.00'])
    expect(await earned(merchant)).toEqual(['CREDIT 20.00', 'CREDIT 20.00'])
  })

  it('that is voided gives back what is held, once', async () => {
    const { merchant, payer, authorization, id } = await authorized()
    const request = { id: authorization, request_id: newRequest() }
    await merchant.orders.voidAuthorization(request)
    await merchant.orders.voidAuthorization(request)
    expect(await balance(payer)).toEqual(['100.00', '0.00'])
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'VOIDED' })
    const again = { id: authorization, request_id: newRequest() }
    expect(code(await merchant.orders.voidAuthorization.try(again))).toBe('previously_voided')
    expect(code(await merchant.orders.captureAuthorization.try(again))).toBe('authorization_voided')
  })

  it('is refunded in parts, and never more than was captured', async () => {
    const { merchant, payer, capture, invoice_id } = await captured()
    const refund = (amount?: string) =>
      merchant.orders.refundCapture.try({
        id: capture,
        request_id: newRequest(),
        ...(amount === undefined ? {} : { amount: eur(amount) }),
      })
    const first = await refund('20')
    expect(first).toMatchObject({
      ok: true,
      value: { status: 201, body: { status: 'COMPLETED', amount: eur('20.00') } },
    })
    expect(await merchant.orders.findCapture({ id: capture })).toMatchObject({ status: 'PARTIALLY_REFUNDED' })
    expect(code(await refund('40.01'))).toBe('refund_amount_exceeded')
    expect(await refund()).toMatchObject({ ok: true, value: { body: { amount: eur('40.00') } } })
    expect(await merchant.orders.findCapture({ id: capture })).toMatchObject({ status: 'REFUNDED' })
    expect(code(await refund('0.01'))).toBe('capture_fully_refunded')
    const { orders: found } = await merchant.orders.search({ invoice_id })
    for (const shown of found[0]?.purchase_units[0]?.payments?.refunds ?? []) {
      expect(await merchant.orders.findRefund({ id: shown.id })).toEqual(shown)
    }
    expect(await balance(payer)).toMatchObject(['100.00', '0.00'])
    expect(await earned(merchant)).toEqual(['CREDIT 60.00', 'DEBIT 20.00', 'DEBIT 40.00'])
  })

  it('is one for each invoice, until it is called off', async () => {
    const merchant = checkout.merchant()
    const wish = { intent: 'CAPTURE' as const, purchase_units: [{ amount: eur('5'), invoice_id: 'I-2' }] }
    const tries = await Promise.all(
      [1, 2, 3].map(() => merchant.orders.create.try({ ...wish, request_id: newRequest() })),
    )
    expect(counted(tries.map(code))).toEqual({ ok: 1, duplicate_invoice_id: 2 })
    const made = tries.flatMap((each) => (each.ok ? [each.value.body.id] : []))
    await merchant.orders.voidOrder({ id: made[0] ?? '' })
    expect(code(await merchant.orders.create.try({ ...wish, request_id: newRequest() }))).toBe('ok')
    const other = checkout.merchant()
    expect(code(await other.orders.create.try({ ...wish, request_id: newRequest() }))).toBe('ok')
  })

  it('refuses what is not its turn, by the documented names', async () => {
    const merchant = checkout.merchant()
    const payer = await checkout.payer('100')
    const make = async (intent: 'CAPTURE' | 'AUTHORIZE') =>
      (
        await merchant.orders.create({
          request_id: newRequest(),
          intent,
          purchase_units: [{ amount: eur('10') }],
        })
      ).body.id
    const [toCapture, toAuthorize] = [await make('CAPTURE'), await make('AUTHORIZE')]
    const capture = async (id: string) => code(await merchant.orders.capture.try({ id, request_id: newRequest() }))
    const authorize = async (id: string) => code(await merchant.orders.authorize.try({ id, request_id: newRequest() }))
    expect(await capture(toCapture)).toBe('order_not_approved')
    expect(await authorize(toAuthorize)).toBe('order_not_approved')
    expect(await capture(toAuthorize)).toBe('action_does_not_match_intent')
    expect(await authorize(toCapture)).toBe('action_does_not_match_intent')
    await Promise.all([toCapture, toAuthorize].map((id) => payer.orders.approve({ id })))
    expect(await capture(toCapture)).toBe('ok')
    expect(await authorize(toAuthorize)).toBe('ok')
    expect(await capture(toCapture)).toBe('order_already_captured')
    expect(await authorize(toAuthorize)).toBe('order_already_authorized')
    expect(code(await merchant.orders.voidOrder.try({ id: toCapture }))).toBe('order_already_captured')
    expect(code(await merchant.orders.find.try({ id: randomUUID() }))).toBe('invalid_resource_id')
  })

  it('refuses amounts that cannot be paid', async () => {
    const merchant = checkout.merchant()
    const create = async (value: string, currency_code = 'EUR') =>
      code(
        await merchant.orders.create.try({
          request_id: newRequest(),
          intent: 'CAPTURE',
          purchase_units: [{ amount: { currency_code, value } }],
        }),
      )
    expect(await create('0.00')).toBe('cannot_be_zero_or_negative')
    expect(await create('1.234')).toBe('decimal_precision')
    expect(await create('1.2', 'JPY')).toBe('decimals_not_supported')
    expect(await create('1', 'XXX')).toBe('currency_not_supported')
    expect(await create('-1')).toBe('invalid_input')
    expect(await create('1200', 'JPY')).toBe('ok')
  })

  it('belongs to its merchant: others see and move nothing of it', async () => {
    const { id, authorization } = await authorized()
    const other = checkout.merchant()
    const request = { request_id: newRequest() }
    const tries = await Promise.all([
      other.orders.find.try({ id }),
      other.orders.voidOrder.try({ id }),
      other.orders.authorize.try({ id, ...request }),
      other.orders.findAuthorization.try({ id: authorization }),
      other.orders.captureAuthorization.try({ id: authorization, ...request }),
      other.orders.voidAuthorization.try({ id: authorization, ...request }),
    ])
    expect(tries.map(code)).toEqual(Array(tries.length).fill('invalid_resource_id'))
  })

  it('is approved by one payer', async () => {
    const { id, payer } = await approved('CAPTURE')
    const other = await checkout.payer('100')
    expect(code(await other.orders.approve.try({ id }))).toBe('order_already_approved')
    expect(await payer.orders.approve({ id })).toMatchObject({ payer: { payer_id: payer.id } })
    expect(code(await checkout.client(orders).approve.try({ id }))).toBe('not_a_payer')
  })

  it('has a bounded number of payments, and what is held can still be given back', async () => {
    const { merchant, payer, authorization } = await authorized()
    const part = () =>
      merchant.orders.captureAuthorization.try({ id: authorization, amount: eur('0.01'), request_id: newRequest() })
    const codes: (string | undefined)[] = []
    for (let i = 0; i < movementsMax; i++) codes.push(code(await part()))
    expect(codes.at(-1)).toBe('max_number_of_payment_attempts_exceeded')
    expect(codes.filter((each) => each === 'ok').length).toBe(movementsMax - 2)
    await merchant.orders.voidAuthorization({ id: authorization, request_id: newRequest() })
    expect(await balance(payer)).toEqual(['99.02', '0.00'])
  })
})

describe('a wallet that declines', () => {
  it('because there is too little leaves the order approved: a new request may succeed', async () => {
    const { merchant, payer, id } = await approved('AUTHORIZE', '150.00')
    const request = { id, request_id: newRequest() }
    expect(code(await merchant.orders.authorize.try(request))).toBe('instrument_declined')
    await payer.wallet.topUp({ request_id: 'more', amount: eur('100') })
    expect(code(await merchant.orders.authorize.try(request))).toBe('instrument_declined')
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'APPROVED' })
    expect(code(await merchant.orders.authorize.try({ id, request_id: newRequest() }))).toBe('ok')
    expect(await balance(payer)).toEqual(['50.00', '150.00'])
  })

  it('because a test says so declines once, however often the request is sent', async () => {
    const { merchant, id } = await approved('CAPTURE')
    await checkout.switches.set({ decline_captures: 1 })
    const request = { id, request_id: newRequest() }
    const tries = await Promise.all([1, 2, 3].map(() => merchant.orders.capture.try(request)))
    expect(tries.map(code)).toEqual(Array(3).fill('instrument_declined'))
    expect(code(await merchant.orders.capture.try({ id, request_id: newRequest() }))).toBe('ok')
    expect(await checkout.published(id)).toEqual(['orderApproved', 'captureDenied', 'captureCompleted'])
  })
})

describe('a request', () => {
  it('has one effect, and is answered 201 once and 200 with the same body afterwards', async () => {
    const { merchant, payer, id } = await approved('CAPTURE')
    const request = { id, request_id: newRequest() }
    const replies = await Promise.all(Array.from({ length: 6 }, () => merchant.orders.capture(request)))
    expect(counted(replies.map(({ status }) => status))).toEqual({ 201: 1, 200: 5 })
    for (const { body } of replies) expect(body).toEqual(replies[0]?.body)
    expect(await balance(payer)).toEqual(['40.00', '0.00'])
    expect(await checkout.published(id)).toEqual(['orderApproved', 'captureCompleted'])
  })

  it('creates one order', async () => {
    const merchant = checkout.merchant()
    const request = { request_id: newRequest(), intent: 'CAPTURE' as const, purchase_units: [{ amount: eur('5') }] }
    const replies = await Promise.all(Array.from({ length: 6 }, () => merchant.orders.create(request)))
    expect(counted(replies.map(({ status }) => status))).toEqual({ 201: 1, 200: 5 })
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1)
  })

  it('is not mistaken for another one with its id', async () => {
    const { merchant, capture } = await captured()
    const request_id = newRequest()
    await merchant.orders.refundCapture({ id: capture, amount: eur('5'), request_id })
    const dearer = await merchant.orders.refundCapture.try({ id: capture, amount: eur('6'), request_id })
    expect(code(dearer)).toBe('request_id_reused')
    const same = await merchant.orders.refundCapture({ id: capture, amount: eur('5'), request_id })
    expect(same.status).toBe(200)
    const create = { intent: 'CAPTURE' as const, purchase_units: [{ amount: eur('5') }] }
    await merchant.orders.create({ ...create, request_id })
    const other = { ...create, purchase_units: [{ amount: eur('6') }], request_id }
    expect(code(await merchant.orders.create.try(other))).toBe('request_id_reused')
  })

  it('is known as reused also when another one with its id is written down at the same moment', async () => {
    const { merchant, capture } = await captured()
    const late = await approved('CAPTURE', '60.00', merchant)
    const request_id = newRequest()
    const store = checkout.store<OrdersTables>('orders')
    const [written, waiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const other = store.transaction(async ({ db }) => {
      await db.updateTable('requests').set({ request_id }).where('payment_id', '=', capture).execute()
      written.resolve()
      await waiting.promise
    })
    await written.promise
    const asked = merchant.orders.capture.try({ id: late.id, request_id })
    await expect.poll(() => waitingInserts(store.db), { timeout: 20_000 }).toBe(1)
    waiting.resolve()
    await other
    expect(code(await asked)).toBe('request_id_reused')
    expect(await balance(late.payer)).toEqual(['100.00', '0.00'])
  })

  it('of another merchant may have the same id', async () => {
    const [a, b] = [await approved('CAPTURE'), await approved('CAPTURE')]
    for (const { merchant, id } of [a, b]) {
      expect((await merchant.orders.capture({ id, request_id: 'mine' })).status).toBe(201)
    }
  })

  it('is looked up when its answer was lost, by its id or by the invoice', async () => {
    const { merchant, capture, id, invoice_id } = await captured()
    const request_id = newRequest()
    expect((await merchant.orders.search({ request_id })).orders).toEqual([])
    await merchant.orders.refundCapture({ id: capture, request_id })
    const found = await merchant.orders.search({ request_id })
    expect(found.orders).toMatchObject([
      { id, purchase_units: [{ payments: { refunds: [{ amount: eur('60.00') }] } }] },
    ])
    expect(await merchant.orders.search({ invoice_id })).toEqual(found)
    expect((await checkout.merchant().orders.search({ request_id, invoice_id })).orders).toEqual([])
    await expect(merchant.orders.search({})).rejects.toMatchObject({ code: 'missing_required_parameter' })
  })

  it('that was refused without an effect may be sent again', async () => {
    const merchant = checkout.merchant()
    const payer = await checkout.payer('100')
    const { body } = await merchant.orders.create({
      request_id: newRequest(),
      intent: 'CAPTURE',
      purchase_units: [{ amount: eur('5') }],
    })
    const request = { id: body.id, request_id: newRequest() }
    expect(code(await merchant.orders.capture.try(request))).toBe('order_not_approved')
    await payer.orders.approve({ id: body.id })
    expect((await merchant.orders.capture(request)).status).toBe(201)
  })
})

describe('the database', () => {
  it('holds one effect for each request, and one movement at a time for each order', async () => {
    const { merchant, id, capture } = await captured()
    await merchant.orders.refundCapture({ id: capture, amount: eur('5'), request_id: 'mine' })
    const { db } = checkout.store<OrdersTables>('orders')
    const refund = await db
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', id)
      .where('kind', '=', 'refund')
      .executeTakeFirstOrThrow()
    const another = { ...refund, id: randomUUID(), state: 'pending' as const }
    await db.insertInto('payments').values(another).execute()
    const second = { ...another, id: randomUUID() }
    await expect(db.insertInto('payments').values(second).execute()).rejects.toThrow(/payments_one_at_a_time/)
    const request = await db
      .selectFrom('requests')
      .selectAll()
      .where('payment_id', '=', refund.id)
      .executeTakeFirstOrThrow()
    const twice = { ...request, payment_id: another.id }
    await expect(db.insertInto('requests').values(twice).execute()).rejects.toThrow(/requests_pkey/)
    const renamed = { ...request, request_id: 'other' }
    await expect(db.insertInto('requests').values(renamed).execute()).rejects.toThrow(/requests_payment_id_key/)
  })
})

describe('requests at once', () => {
  it('capture an order once', async () => {
    const { merchant, payer, id } = await approved('CAPTURE')
    const tries = await Promise.all(
      Array.from({ length: 6 }, () => merchant.orders.capture.try({ id, request_id: newRequest() })),
    )
    expect(counted(tries.map(code))).toEqual({ ok: 1, order_already_captured: 5 })
    expect(await balance(payer)).toEqual(['40.00', '0.00'])
  })

  it('either capture an authorization or void it', async () => {
    for (let round = 0; round < 4; round++) {
      const { merchant, payer, authorization } = await authorized()
      const request = () => ({ id: authorization, request_id: newRequest() })
      const [capture, voided] = await Promise.all([
        merchant.orders.captureAuthorization.try(request()),
        merchant.orders.voidAuthorization.try(request()),
      ])
      expect([
        ['ok', 'previously_captured'],
        ['authorization_voided', 'ok'],
      ]).toContainEqual([code(capture), code(voided)])
      expect(await balance(payer)).toEqual(capture.ok ? ['40.00', '0.00'] : ['100.00', '0.00'])
    }
    await expectBooksBalance()
  })

  it('capture no more than was authorized', async () => {
    const { merchant, authorization } = await authorized()
    const tries = await Promise.all(
      Array.from({ length: 5 }, () =>
        merchant.orders.captureAuthorization.try({ id: authorization, amount: eur('25'), request_id: newRequest() }),
      ),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(2)
    expect(await earned(merchant)).toEqual(['CREDIT 25.00', 'CREDIT 25.00'])
  })

  it('refund no more than was captured', async () => {
    const { merchant, payer, capture } = await captured()
    const tries = await Promise.all(
      Array.from({ length: 5 }, () =>
        merchant.orders.refundCapture.try({ id: capture, amount: eur('25'), request_id: newRequest() }),
      ),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(2)
    expect(await balance(payer)).toEqual(['90.00', '0.00'])
    await expectBooksBalance()
  })
})

describe('an order that is called off', () => {
  it('takes no money any more, whatever it was before', async () => {
    const held = await authorized()
    const open = await approved('AUTHORIZE')
    for (const { merchant, id, payer } of [held, open]) {
      const voided = await Promise.all([merchant.orders.voidOrder({ id }), merchant.orders.voidOrder({ id })])
      expect(voided.map(({ status }) => status)).toEqual(['VOIDED', 'VOIDED'])
      const late = await merchant.orders.authorize.try({ id, request_id: newRequest() })
      expect(code(late)).toBe('order_voided')
      expect((await balance(payer))[0]).toBe('100.00')
    }
    expect(await checkout.published(open.id)).toEqual(['orderApproved', 'orderVoided'])
    expect(await checkout.published(held.id)).toEqual(['orderApproved', 'authorizationCreated', 'authorizationVoided'])
  })

  it('while it is authorized ends void, with nothing held', async () => {
    for (let round = 0; round < 4; round++) {
      const { merchant, id, payer } = await approved('AUTHORIZE')
      await Promise.all([
        merchant.orders.authorize.try({ id, request_id: newRequest() }),
        merchant.orders.voidOrder({ id }),
      ])
      expect(await merchant.orders.find({ id })).toMatchObject({ status: 'VOIDED' })
      expect((await balance(payer))[0]).toBe('100.00')
    }
  })
})

describe('time', () => {
  it('voids orders that nobody paid, and gives back what was held too long', async () => {
    const held = await authorized()
    const open = await approved('AUTHORIZE')
    checkout.pass(orderMs + 1_000)
    await checkout.runJob('orders', 'expire-orders')
    expect(await open.merchant.orders.find({ id: open.id })).toMatchObject({ status: 'VOIDED' })
    expect(await held.merchant.orders.find({ id: held.id })).toMatchObject({ status: 'COMPLETED' })
    checkout.pass(authorizationMs)
    await checkout.runJob('orders', 'expire-authorizations')
    checkout.pass(abandonedMs)
    await checkout.runJob('orders', 'settle-abandoned')
    expect(await balance(held.payer)).toEqual(['100.00', '0.00'])
    expect(await held.merchant.orders.find({ id: held.id })).toMatchObject({ status: 'VOIDED' })
    await checkout.runJob('orders', 'expire-authorizations')
  })
})

describe('orders whose time has come', () => {
  it('are all closed, however many cannot be yet', async () => {
    const { id, payer } = await approved('CAPTURE')
    const { db } = checkout.store<OrdersTables>('orders')
    const due = new Date(0)
    const order = await db
      .updateTable('orders')
      .set({ expires_at: due })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    const copies = (start: number) =>
      Array.from({ length: 101 }, (_, n) => ({
        ...order,
        id: `00000000-0000-4000-8000-${String(start + n).padStart(12, '0')}`,
        invoice_id: null,
        payer_id: payer.id,
      }))
    const [stuck, others] = [copies(0), copies(1_000)]
    await db
      .insertInto('orders')
      .values([...stuck, ...others])
      .execute()
    await db
      .insertInto('payments')
      .values(
        stuck.map((each) => ({
          id: randomUUID(),
          order_id: each.id,
          kind: 'capture' as const,
          about: null,
          amount: each.amount,
          final: true,
          note: null,
          state: 'pending' as const,
          created_at: due,
          updated_at: due,
          expires_at: null,
        })),
      )
      .execute()
    try {
      await checkout.runJob('orders', 'expire-orders')
      const left = db.selectFrom('orders').select('id').where('status', '=', 'APPROVED').where('expires_at', '=', due)
      expect((await left.orderBy('id').execute()).map((each) => each.id)).toEqual(stuck.map((each) => each.id))
    } finally {
      const ids = stuck.map((each) => each.id)
      await db.deleteFrom('payments').where('order_id', 'in', ids).execute()
      await db.deleteFrom('orders').where('id', 'in', ids).execute()
    }
  })

  it('are not looked for among those of which nothing is held any more', async () => {
    const [held, taken, voided] = await Promise.all([authorized(), authorized(), authorized()])
    await held.merchant.orders.captureAuthorization({
      id: held.authorization,
      amount: eur('20'),
      request_id: newRequest(),
    })
    await taken.merchant.orders.captureAuthorization({ id: taken.authorization, request_id: newRequest() })
    await voided.merchant.orders.voidAuthorization({ id: voided.authorization, request_id: newRequest() })
    const { db } = checkout.store<OrdersTables>('orders')
    const holding = await db
      .selectFrom('orders')
      .select('id')
      .where(
        'id',
        'in',
        [held, taken, voided].map(({ id }) => id),
      )
      .where('held_until', 'is not', null)
      .execute()
    expect(holding).toEqual([{ id: held.id }])
  })
})

describe('after a crash', () => {
  const spots = {
    'before the ledger is asked': () =>
      checkout.watch((call) => (call.contract === 'ledger@1' && call.from === 'orders' ? crash() : undefined)),
    'when the ledger has moved the money': () =>
      checkout.watch((call) => (call.contract === 'ledger@1' && call.from === 'orders' ? crash : undefined)),
  }

  it.each(Object.entries(spots))('%s the same request goes on and has one effect', async (_spot, watch) => {
    const { merchant, payer, id } = await approved('CAPTURE')
    const request = { id, request_id: newRequest() }
    watch()
    expect((await merchant.orders.capture.try(request)).ok).toBe(false)
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'APPROVED' })
    checkout.watch(undefined)
    expect((await merchant.orders.capture(request)).body.status).toBe('COMPLETED')
    expect(await balance(payer)).toEqual(['40.00', '0.00'])
    expect(await checkout.published(id)).toEqual(['orderApproved', 'captureCompleted'])
  })

  it.each(Object.entries(spots))('%s another request meets what was begun and ends it first', async (_spot, watch) => {
    const { merchant, payer, authorization } = await authorized()
    watch()
    const capture = { id: authorization, request_id: newRequest() }
    expect((await merchant.orders.captureAuthorization.try(capture)).ok).toBe(false)
    checkout.watch(undefined)
    const late = await merchant.orders.voidAuthorization.try({ id: authorization, request_id: newRequest() })
    expect(code(late)).toBe('previously_captured')
    expect(await balance(payer)).toEqual(['40.00', '0.00'])
    expect((await merchant.orders.captureAuthorization(capture)).status).toBe(200)
  })

  it.each(Object.entries(spots))('%s it is ended without anybody asking', async (_spot, watch) => {
    const { merchant, payer, id, capture } = await captured()
    watch()
    expect((await merchant.orders.refundCapture.try({ id: capture, request_id: newRequest() })).ok).toBe(false)
    checkout.watch(undefined)
    await checkout.runJob('orders', 'settle-abandoned')
    expect((await merchant.orders.findCapture({ id: capture })).status).toBe('COMPLETED')
    checkout.pass(abandonedMs)
    await checkout.runJob('orders', 'settle-abandoned')
    expect((await merchant.orders.findCapture({ id: capture })).status).toBe('REFUNDED')
    expect(await balance(payer)).toEqual(['100.00', '0.00'])
    expect((await checkout.published(id)).at(-1)).toBe('captureRefunded')
  })

  it('what was begun is ended without waiting for the hour by which the clock was put back', async () => {
    const { merchant, capture } = await captured()
    checkout.watch((call) => (call.contract === 'ledger@1' && call.from === 'orders' ? crash() : undefined))
    expect((await merchant.orders.refundCapture.try({ id: capture, request_id: newRequest() })).ok).toBe(false)
    checkout.watch(undefined)
    checkout.pass(-3_600_000)
    try {
      await checkout.runJob('orders', 'settle-abandoned')
      expect((await merchant.orders.findCapture({ id: capture })).status).toBe('REFUNDED')
    } finally {
      checkout.pass(3_600_000)
    }
  })
})

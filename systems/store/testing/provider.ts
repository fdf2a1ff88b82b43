import { randomUUID } from 'node:crypto'
import { implement, reply } from 'trestle/service'
import type { Money } from '../money.ts'
import { readAmount, writeAmount } from '../payments/provider/amount.ts'
import { paymentProvider } from '../payments/provider/contract.ts'

interface FakePayment {
  readonly id: string
  status: string
}

interface FakeMoney extends FakePayment {
  readonly amount: { readonly currency_code: string; readonly value: string }
}

/** A payment as the fake payment system keeps it. */
export interface FakeOrder {
  readonly id: string
  readonly orderId: string
  readonly amount: FakeMoney['amount']
  status: 'CREATED' | 'APPROVED' | 'COMPLETED' | 'VOIDED'
  authorization: FakePayment | undefined
  capture: FakeMoney | undefined
  readonly refunds: FakeMoney[]
}

/** A payment system in memory, behind the contract that the store has of the real one. */
export interface FakeProvider {
  readonly service: ReturnType<ReturnType<typeof begin>['service']>
  /** The payment of one of the store's orders. */
  of(orderId: string): FakeOrder | undefined
  /** The id under which a URL is told what happens. */
  webhookOf(url: string): string
  /** What the buyer does at the payment system. */
  approve(orderId: string): void
  /** What the merchant gives back at the payment system. */
  refund(orderId: string, amount: Money): void
  /** The next authorizations, or captures, are refused. */
  decline(step: 'authorize' | 'capture', times: number): void
  /** The keys that deliveries are signed with. */
  keys: readonly { kid: string; kty: string; crv: string; x: string }[]
}

/** Makes one that knows nothing. */
export function fakeProvider(): FakeProvider {
  const orders = new Map<string, FakeOrder>()
  const requests = new Map<string, string>()
  const webhooks: { id: string; url: string }[] = []
  const declines = { authorize: 0, capture: 0 }
  const fake = { keys: [] as FakeProvider['keys'] }
  const impl = begin()
  const once = (request_id: string, order: FakeOrder, effect: () => void) => {
    const isNew = !requests.has(request_id)
    if (isNew) effect()
    requests.set(request_id, order.id)
    return isNew ? 201 : 200
  }
  const declined = new Set<string>()
  const isDeclined = (step: keyof typeof declines, request_id: string) => {
    if (!requests.has(request_id) && declines[step] > 0) {
      declines[step]--
      declined.add(request_id)
    }
    return declined.has(request_id)
  }
  const byPart = (part: 'authorization' | 'capture', id: string) =>
    [...orders.values()].find((each) => each[part]?.id === id)
  const service = impl.service({
    handlers: {
      token: () => ({ access_token: 'token', expires_in: 32_400 }),
      create({ input: { request_id, purchase_units } }) {
        const [unit] = purchase_units
        if (unit === undefined) throw new TypeError('no purchase unit')
        const known = orders.get(requests.get(request_id) ?? '')
        const order: FakeOrder = known ?? {
          id: randomUUID(),
          orderId: unit.custom_id,
          amount: unit.amount,
          status: 'CREATED',
          authorization: undefined,
          capture: undefined,
          refunds: [],
        }
        return reply(
          once(request_id, order, () => orders.set(order.id, order)),
          viewOf(order),
        )
      },
      find({ input, fail }) {
        return viewOf(orders.get(input.id) ?? fail('invalid_resource_id'))
      },
      search({ input }) {
        const order = orders.get(requests.get(input.request_id) ?? '')
        return { orders: order === undefined ? [] : [viewOf(order)] }
      },
      authorize({ input, fail }) {
        const order = orders.get(input.id) ?? fail('invalid_resource_id')
        if (order.status === 'VOIDED') return fail('order_voided')
        if (order.status === 'CREATED') return fail('order_not_approved')
        if (isDeclined('authorize', input.request_id)) return fail('instrument_declined')
        const status = once(input.request_id, order, () => {
          order.authorization = { id: randomUUID(), status: 'CREATED' }
          order.status = 'COMPLETED'
        })
        return reply(status, viewOf(order))
      },
      voidOrder({ input, fail }) {
        const order = orders.get(input.id) ?? fail('invalid_resource_id')
        if (order.authorization !== undefined) return fail('order_already_authorized')
        once(input.request_id, order, () => (order.status = 'VOIDED'))
        return reply(200, viewOf(order))
      },
      voidAuthorization({ input, fail }) {
        const order = byPart('authorization', input.id) ?? fail('invalid_resource_id')
        if (order.authorization?.status === 'CAPTURED') return fail('previously_captured')
        once(input.request_id, order, () => Object.assign(order.authorization ?? {}, { status: 'VOIDED' }))
        return undefined
      },
      capture({ input, fail }) {
        const order = byPart('authorization', input.id) ?? fail('invalid_resource_id')
        if (order.authorization?.status === 'VOIDED') return fail('authorization_voided')
        if (isDeclined('capture', input.request_id)) return fail('instrument_declined')
        const status = once(input.request_id, order, () => {
          order.capture = { id: randomUUID(), status: 'COMPLETED', amount: order.amount }
          Object.assign(order.authorization ?? {}, { status: 'CAPTURED' })
        })
        return reply(status, moneyView(order.capture))
      },
      refund({ input, fail }) {
        const order = byPart('capture', input.id) ?? fail('invalid_resource_id')
        if (order.capture?.status === 'REFUNDED' && !requests.has(input.request_id))
          return fail('capture_fully_refunded')
        const status = once(input.request_id, order, () => giveBack(order, leftOf(order)))
        return reply(status, moneyView(order.refunds.at(-1)))
      },
      registerWebhook({ input: { url }, fail }) {
        if (webhooks.some((each) => each.url === url)) return fail('webhook_url_already_exists')
        webhooks.push({ id: randomUUID(), url })
        return webhooks.at(-1) as { id: string }
      },
      webhooks: () => ({ webhooks }),
      keys: () => ({ keys: [...fake.keys] }),
    },
  })
  const of = (orderId: string) => [...orders.values()].find((order) => order.orderId === orderId)
  return Object.assign(fake, {
    service,
    of,
    webhookOf: (url: string) => webhooks.find((each) => each.url === url)?.id ?? '',
    approve(orderId: string) {
      const order = of(orderId)
      if (order?.status !== 'CREATED') throw new Error(`there is no order to approve, but ${order?.status}`)
      order.status = 'APPROVED'
    },
    refund(orderId: string, amount: Money) {
      giveBack(of(orderId) as FakeOrder, amount)
    },
    decline(step: keyof typeof declines, times: number) {
      declines[step] = times
    },
  })
}

function begin() {
  return implement(paymentProvider)
}

function leftOf({ amount, refunds }: FakeOrder): Money {
  const given = refunds.reduce((sum, refund) => sum + readAmount(refund.amount), 0)
  return { amount: readAmount(amount) - given, currency: amount.currency_code }
}

function giveBack(order: FakeOrder, amount: Money): void {
  order.refunds.push({ id: randomUUID(), status: 'COMPLETED', amount: writeAmount(amount) })
  const isAll = leftOf(order).amount === 0
  Object.assign(order.capture ?? {}, { status: isAll ? 'REFUNDED' : 'PARTIALLY_REFUNDED' })
}

function viewOf({ id, orderId, status, authorization, capture, refunds }: FakeOrder) {
  return {
    id,
    status,
    purchase_units: [
      {
        custom_id: orderId,
        payments: { authorizations: listOf(authorization), captures: listOf(capture), refunds: [...refunds] },
      },
    ],
    links: [{ rel: 'approve', href: `http://payments.test/checkoutnow?token=${id}` }],
  }
}

function listOf<T extends object>(one: T | undefined): T[] {
  return one === undefined ? [] : [{ ...one }]
}

function moneyView(money: FakeMoney | undefined): FakeMoney {
  if (money === undefined) throw new Error('no money has moved')
  return { ...money }
}

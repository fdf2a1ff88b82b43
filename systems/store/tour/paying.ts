import { randomUUID } from 'node:crypto'
import { type Buyer, type PaymentSystem, paymentSystemAt } from '../testing/buyer.ts'
import { orderThat } from './order-that.ts'
import type { RunningStore } from './running-store.ts'
import type { JsonAnswer } from 'trestle/testing'
import type { Shopper } from './shopping.ts'
import type { Story } from './story.ts'

const settled = ({ status }: JsonAnswer['body']) => status !== 'pending'

/** A checkout that is paid, one that is declined, and one whose processes are killed while the money is taken. */
export async function payingChapters(story: Story, store: RunningStore, shopper: Shopper): Promise<void> {
  const payments = await paymentSystemAt(store.paymentsUrl)
  story.say(`the payment system is at ${store.paymentsUrl}: another system, reached over HTTP only`)
  await paidChapter(story, store, shopper, payments)
  await declinedChapter(story, store, shopper, payments)
  await killedChapter(story, store, shopper, payments)
}

async function paidChapter(story: Story, store: RunningStore, shopper: Shopper, payments: PaymentSystem) {
  story.chapter('Pay for an order at the payment system')
  const buyer = await payments.newBuyer('9000.00')
  const order = await ordered(store, shopper)
  story.say(`approve at ${order.approveUrl}`)
  await payments.approve(buyer, order.approveUrl)
  const paid = await orderThat(store.shop, order.id, shopper.token, settled)
  const payment = await paymentOf(store, order.id)
  story.evidence(
    'a paid order is confirmed, and charged what was quoted',
    paid?.status === 'confirmed' && payment.captured?.amount === order.total.amount,
    `${paid?.status}, ${payment.captured?.amount} of ${order.total.amount} minor units captured`,
  )
  const shipment = await store.shop.ask('GET', `/shipments/${paid?.shipmentId}`, {
    token: shopper.token,
    tell: story.told,
  })
  story.say(`parcel ${shipment.body.state}`)
}

async function declinedChapter(story: Story, store: RunningStore, shopper: Shopper, payments: PaymentSystem) {
  story.chapter('Pay for an order with an empty wallet')
  const buyer = await payments.newBuyer('0.01')
  const before = await store.shop.ask('GET', `/stock/${await skuOf(store)}`)
  const order = await ordered(store, shopper)
  await payments.approve(buyer, order.approveUrl)
  const undone = await orderThat(store.shop, order.id, shopper.token, settled)
  const after = await store.shop.ask('GET', `/stock/${await skuOf(store)}`)
  story.evidence(
    'a declined payment undoes everything that came before it',
    undone?.status === 'rejected' && after.body.available === before.body.available,
    `${undone?.status}, ${undone?.closed?.reason}; ${before.body.available} pieces before, ${after.body.available} after`,
  )
}

async function killedChapter(story: Story, store: RunningStore, shopper: Shopper, payments: PaymentSystem) {
  story.chapter('kill -9 orders and payments while they take the money')
  const buyer = await payments.newBuyer('9000.00')
  const order = await ordered(store, shopper)
  // The payment system takes the money and does not say so: the saga is held in the middle of it.
  await payments.misbehave({ time_out_captures: 1 })
  await payments.approve(buyer, order.approveUrl)
  const taken = await moneyTaken(payments, buyer)
  const victims = (await store.ps()).filter(({ service }) => service === 'orders' || service === 'payments')
  for (const { pid, service } of victims) {
    process.kill(pid, 'SIGKILL')
    story.say(`kill -9 ${pid} (${service})`)
  }
  const paid = await orderThat(store.shop, order.id, shopper.token, settled)
  await payments.misbehave({})
  const payment = await paymentOf(store, order.id)
  story.evidence(
    'a checkout that was killed in the middle is completed, and charged once',
    taken && victims.length > 1 && paid?.status === 'confirmed' && payment.captured?.amount === order.total.amount,
    `${victims.length} processes killed; ${paid?.status}, ${payment.captured?.amount} captured`,
  )
}

interface Ordered {
  readonly id: string
  readonly approveUrl: string
  readonly total: { readonly amount: number }
}

/** An order whose payment waits to be approved. */
async function ordered(store: RunningStore, { token }: Shopper): Promise<Ordered> {
  const { shop } = store
  await shop.ask('PUT', `/cart/items/${await skuOf(store)}`, { body: { quantity: 1 }, token })
  const placed = await shop.ask('POST', '/orders', { body: {}, token, key: randomUUID() })
  const order = await orderThat(shop, placed.body.id, token, ({ approveUrl }) => approveUrl !== null)
  if (order === undefined) throw new Error('nobody said where to approve the payment')
  return order
}

async function skuOf({ shop }: RunningStore): Promise<string> {
  return (await shop.ask('GET', '/products?query=lamp&limit=1')).body.items[0].sku
}

async function paymentOf(store: RunningStore, orderId: string): Promise<JsonAnswer['body']> {
  return JSON.parse(await store.trestle('call', 'payments.find', `orderId=${orderId}`))
}

/** Waits until less is in the wallet than was put into it. */
async function moneyTaken(payments: PaymentSystem, buyer: Buyer): Promise<boolean> {
  for (let look = 0; look < 400; look++) {
    if (!(await payments.balanceOf(buyer)).includes('9000.00')) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

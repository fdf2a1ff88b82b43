import { randomUUID } from 'node:crypto'
import { orderThat } from './order-that.ts'
import type { RunningStore } from './running-store.ts'
import type { Story } from './story.ts'

/** Somebody who has signed up and ordered. */
export interface Shopper {
  readonly email: string
  readonly password: string
  readonly token: string
  readonly orderId: string
}

/** Sign up, search, fill the cart, order, read the order, cancel it. */
export async function shoppingChapter(story: Story, { shop }: RunningStore, title: string): Promise<Shopper> {
  story.chapter(title)
  const tell = story.told
  const email = `ada.${randomUUID().slice(0, 8)}@example.org`
  const password = `correct horse ${randomUUID()}`
  await shop.ask('POST', '/users', { body: { email, password, name: 'Ada' }, tell })
  const session = await shop.ask('POST', '/sessions', { body: { email, password } })
  const token: string = session.body.token
  story.say(`POST /sessions -> ${session.status}, a token until ${session.body.expiresAt}`)
  const found = await shop.ask('GET', '/products?query=lamp&limit=2', { tell })
  const sku: string = found.body.items[0].sku
  await shop.ask('PUT', `/cart/items/${sku}`, { body: { quantity: 2 }, token, tell })
  const key = randomUUID()
  const order = await shop.ask('POST', '/orders', { body: {}, token, key, tell })
  const again = await shop.ask('POST', '/orders', { body: {}, token, key })
  story.evidence(
    'the same request sent twice is one order',
    order.body.id !== undefined && again.body.id === order.body.id,
    `order ${order.body.id}`,
  )
  const read = await shop.ask('GET', `/orders/${order.body.id}`, { token, tell })
  const price = found.body.items[0].price.amount as number
  story.evidence(
    'an order keeps the price that was shown',
    read.body.total.amount === 2 * price,
    `2 x ${price} = ${read.body.total.amount} minor units`,
  )
  await shop.ask('POST', `/orders/${order.body.id}/cancel`, { body: {}, token, tell })
  const cancelled = await orderThat(shop, order.body.id, token, ({ status }) => status === 'cancelled')
  story.evidence(
    'an order can be cancelled',
    cancelled?.closed.reason === 'customer',
    JSON.stringify(cancelled?.closed),
  )
  return { email, password, token, orderId: order.body.id }
}

/** What a client sees that asks for nonsense, or for what is not its own. */
export async function refusalChapter(story: Story, { shop }: RunningStore): Promise<void> {
  story.chapter('Ask for nonsense')
  const invalid = await shop.ask('POST', '/users', { body: { email: 'nobody', password: 'x' }, tell: story.told })
  const pointers = (invalid.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)
  story.evidence(
    'a bad request says what is wrong and where',
    invalid.status === 400 && pointers.includes('/email') && pointers.includes('/password'),
    `${invalid.body.code}: ${pointers.join(', ')}`,
  )
  const stranger = await shop.ask('GET', '/orders', { tell: story.told })
  story.evidence('what is protected asks who you are', stranger.status === 401, stranger.body.code)
}

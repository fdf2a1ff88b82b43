import { type LoadOperation, type Visit, zipf } from 'trestle/testing'
import { ask } from '../web.ts'
import type { Buyer, World } from '../world.ts'
import { attemptOf } from './attempts.ts'
import { approve, topUp } from './paying.ts'
import type { Places, PlacedOrder, Shop } from './shop.ts'

/** Of all carts, how many have the scarce product. */
const scarceShare = 0.3
/** Of all orders, how many are placed twice at once under one key. */
const twiceShare = 0.15
/** Of all placed orders, how many are never approved: their time runs out. */
const forgottenShare = 0.05

/** What visitors of the store do: mostly look, some fill a cart and leave, many buy, a few think better of it. */
export function storeOperations(places: Places, world: World): readonly LoadOperation[] {
  const rankOf = zipf(world.goods.skus.length)
  const shop: Shop = { ...places, world, skuFor: (visit) => world.goods.skus[rankOf(visit.draws)] as string }
  return [
    { name: 'browse', weight: 3, run: (visit) => browse(visit, shop) },
    { name: 'cart', weight: 1, run: (visit) => asBuyer(visit, shop, (buyer) => fillCart(visit, shop, buyer, 1)) },
    { name: 'checkout', weight: 5, run: (visit) => asBuyer(visit, shop, (buyer) => checkout(visit, shop, buyer)) },
    { name: 'cancel', weight: 1, run: (visit) => cancel(visit, shop) },
    { name: 'top up', weight: 0.5, run: (visit) => topUp(visit, shop, visit.draws.pick(world.buyers)) },
  ]
}

/** A cart has one owner, who does one thing at a time. */
async function asBuyer(visit: Visit, { world }: Shop, visitAs: (buyer: Buyer) => Promise<void>): Promise<void> {
  const buyer = world.take(visit.draws)
  if (buyer === undefined) return
  try {
    await visitAs(buyer)
  } finally {
    world.give(buyer)
  }
}

async function browse(visit: Visit, shop: Shop): Promise<void> {
  const path = visit.draws.fraction() < 0.5 ? '/products?limit=10' : `/stock/${shop.skuFor(visit)}`
  const send = async (_key: string, signal: AbortSignal) => attemptOf(await ask('GET', shop.store + path, { signal }))
  await visit.ask({ operation: 'browse', key: `browse-${visit.number}`, input: { path }, send })
}

async function fillCart(visit: Visit, shop: Shop, { token, userId }: Buyer, lines: number): Promise<void> {
  for (let line = 0; line < lines; line += 1) {
    const sku = visit.draws.fraction() < scarceShare ? shop.world.goods.scarce : shop.skuFor(visit)
    const quantity = sku === shop.world.goods.scarce ? 1 : 1 + visit.draws.below(3)
    await visit.ask({
      operation: 'cart.set',
      key: `cart-${visit.number}-${line}`,
      actor: userId,
      input: { sku, quantity },
      send: async (_key, signal) =>
        attemptOf(await ask('PUT', `${shop.store}/cart/items/${sku}`, { body: { quantity }, token, signal })),
    })
  }
}

async function checkout(visit: Visit, shop: Shop, buyer: Buyer): Promise<void> {
  await fillCart(visit, shop, buyer, 1 + visit.draws.below(2))
  const times = visit.draws.fraction() < twiceShare ? 2 : 1
  const key = `order-${visit.number}`
  const [placed] = await Promise.all(Array.from({ length: times }, () => place(visit, shop, buyer, key)))
  if (placed === undefined) return
  shop.world.placed({ orderId: placed.id, buyer })
  if (visit.draws.fraction() >= forgottenShare) await approve(visit, shop, buyer, placed)
}

async function place(visit: Visit, { store }: Shop, { token, userId }: Buyer, key: string) {
  const placed = await visit.ask({
    operation: 'orders.place',
    key,
    actor: userId,
    send: async (_key, signal) =>
      attemptOf(await ask('POST', `${store}/orders`, { body: {}, token, key, signal }), ({ id, total, lines }) => ({
        id,
        total,
        lines,
      })),
  })
  return placed.kind === 'ok' ? (placed.value.body as PlacedOrder) : undefined
}

async function cancel(visit: Visit, { store, world }: Shop): Promise<void> {
  const order = world.recentOrder(visit.draws)
  if (order === undefined) return
  const { orderId, buyer } = order
  await visit.ask({
    operation: 'orders.cancel',
    key: `cancel-${visit.number}`,
    actor: buyer.userId,
    input: { orderId },
    send: async (_key, signal) =>
      attemptOf(await ask('POST', `${store}/orders/${orderId}/cancel`, { body: {}, token: buyer.token, signal })),
  })
}

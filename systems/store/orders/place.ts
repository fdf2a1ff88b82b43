import { setTimeout } from 'node:timers/promises'
import { type FrozenLine, insertOrder } from './order-rows.ts'
import { claim, giveUp, markDone, markOrdered, markRefused, mustWait, type Work } from './placement.ts'
import type { Refusal } from './refusal.ts'
import type { OrdersWork } from './uses.ts'

export type Placed =
  | { readonly kind: 'order'; readonly orderId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'busy'; readonly retryAfterMs: number }

type CartLines = { readonly sku: string; readonly quantity: number }[]

const takenOver: Placed = { kind: 'busy', retryAfterMs: 1_000 }
/** How long a request waits for another order of the same customer before it is refused. */
const waitMs = 4_000
const lookEveryMs = 25

/**
 * Places an order of a customer's cart, once for each key: write the wish down, freeze the prices, hold the stock,
 * write the order, clear the cart. After a crash at any point the same key, or `tidyPlacements`, goes on from there;
 * stock that was held for nothing is released, at the latest when its reservation expires. Waits for its turn while
 * another order of the customer is on its way, so that many requests with one key get one reply.
 */
export async function placeOrder(args: OrdersWork, customerId: string, key: string, signal: AbortSignal) {
  const until = performance.now() + waitMs
  for (;;) {
    const placed = await tryToPlace(args, customerId, key)
    if (placed.kind !== 'busy' || !(await turnCame(args, { customerId, key }, until, signal))) return placed
  }
}

async function turnCame(
  { store, now }: OrdersWork,
  { customerId, key }: { readonly customerId: string; readonly key: string },
  until: number,
  signal: AbortSignal,
): Promise<boolean> {
  while (performance.now() < until) {
    await setTimeout(lookEveryMs, undefined, { signal })
    if (!(await mustWait(store.db, customerId, key, now()))) return true
  }
  return false
}

async function tryToPlace(args: OrdersWork, customerId: string, key: string): Promise<Placed> {
  const claimed = await claim(args.store, { customerId, key, newId: args.newId, now: args.now })
  if (claimed.kind === 'done') return { kind: 'order', orderId: claimed.orderId }
  if (claimed.kind === 'refused' || claimed.kind === 'busy') return claimed
  if (claimed.kind === 'ordered') return await finish(args, claimed.work, claimed.cartVersion)
  if (claimed.kind === 'again') await args.call.inventory.release({ orderId: claimed.staleOrderId })
  return await orGiveUp(args, claimed.work)
}

/** When a service that we need fails, the same key may try again at once. */
async function orGiveUp(args: OrdersWork, work: Work): Promise<Placed> {
  try {
    return await fromCart(args, work)
  } catch (error) {
    await giveUp(args.store.db, work, args.now()).catch((cause: unknown) =>
      args.log.warn({ err: cause, orderId: work.orderId }, 'a lease was not given up; it runs out by itself'),
    )
    throw error
  }
}

async function fromCart(args: OrdersWork, work: Work): Promise<Placed> {
  const { call, store, now } = args
  const cart = await call.carts.read({ userId: work.customerId })
  if (cart.lines.length === 0) return await refuse(args, work, { code: 'cart_empty' })
  const { items } = await call.catalogue.bySku({ skus: cart.lines.map((line) => line.sku) })
  const frozen = freeze(cart.lines, items)
  if ('code' in frozen) return await refuse(args, work, frozen)
  const held = await reserve(args, work, cart.lines)
  if (held.kind === 'refused') return await refuse(args, work, held.refusal)
  if (held.kind === 'closed') return takenOver
  const isOurs = await store.transaction(async ({ db }) => {
    if (!(await markOrdered(db, work, cart.version))) return false
    const { orderId: id, customerId } = work
    const order = { id, customerId, lines: frozen, placedAt: new Date(now()), expiresAt: held.expiresAt }
    await insertOrder(db, order)
    return true
  })
  if (isOurs) return await finish(args, work, cart.version)
  await call.inventory.release({ orderId: work.orderId })
  return takenOver
}

type Held =
  | { readonly kind: 'held'; readonly expiresAt: Date }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Who took this placement over has released the stock. */
  | { readonly kind: 'closed' }

async function reserve({ call }: OrdersWork, { orderId }: Work, lines: CartLines): Promise<Held> {
  const reserved = await call.inventory.reserve.try({ orderId, lines })
  if (reserved.ok) return { kind: 'held', expiresAt: new Date(reserved.value.expiresAt) }
  const { error } = reserved
  if (error.code === 'reservation_closed') return { kind: 'closed' }
  if (error.code !== 'out_of_stock') throw error
  return { kind: 'refused', refusal: { code: error.code, details: error.details } }
}

/** The order stands; should the cart not be cleared now, `tidyPlacements` sees to it. */
async function finish({ call, store, log }: OrdersWork, work: Work, cartVersion: number): Promise<Placed> {
  const cleared = await call.carts.clear.try({ userId: work.customerId, version: cartVersion })
  if (cleared.ok) await markDone(store.db, work)
  else log.warn({ orderId: work.orderId, code: cleared.error.code }, 'a cart that was ordered is not cleared yet')
  return { kind: 'order', orderId: work.orderId }
}

async function refuse({ store }: OrdersWork, work: Work, refusal: Refusal): Promise<Placed> {
  await markRefused(store.db, work, refusal)
  return { kind: 'refused', refusal }
}

/** The cart's lines with their names and prices of now, or the product that is gone. */
function freeze(
  lines: CartLines,
  products: readonly Pick<FrozenLine, 'sku' | 'name' | 'price'>[],
): readonly FrozenLine[] | Refusal {
  const bySku = new Map(products.map((product) => [product.sku, product]))
  const frozen: FrozenLine[] = []
  for (const { sku, quantity } of lines) {
    const product = bySku.get(sku)
    if (product === undefined) return { code: 'product_gone', details: { sku } }
    frozen.push({ sku, name: product.name, quantity, price: product.price })
  }
  return frozen
}

import { isUniqueViolation } from 'trestle/store'
import type { Money } from '../money.ts'
import { printOf } from './move.ts'
import { type RequestName, requestOf, standingOf } from './order-rows.ts'
import type { Standing } from './standing.ts'
import type { OrderRow } from './tables.ts'
import type { OrdersWork } from './uses.ts'

/** How long an order waits for its payer, and after that for its merchant. */
export const orderMs = 3 * 60 * 60_000

/** What is asked for, checked. */
export interface OrderWish extends Money {
  readonly name: RequestName
  readonly asked: unknown
  readonly details: Pick<
    OrderRow,
    'intent' | 'reference_id' | 'description' | 'custom_id' | 'invoice_id' | 'brand_name' | 'return_url' | 'cancel_url'
  >
}

export type Created =
  | { readonly kind: 'order'; readonly standing: Standing; readonly first: boolean }
  | { readonly kind: 'refused'; readonly code: 'request_id_reused' | 'duplicate_invoice_id' }

/** Creates an order, once for each request. */
export async function createOrder(work: OrdersWork, wish: OrderWish): Promise<Created> {
  const known = await created(work, wish)
  if (known !== undefined) return known
  try {
    return { kind: 'order', standing: { order: await insert(work, wish), payments: [] }, first: true }
  } catch (error) {
    // The same request, or another order with its invoice, has come before us.
    if (!isUniqueViolation(error)) throw error
    return (await created(work, wish)) ?? { kind: 'refused', code: 'duplicate_invoice_id' }
  }
}

async function created({ store }: OrdersWork, { name, asked }: OrderWish): Promise<Created | undefined> {
  const request = await requestOf(store.db, name)
  if (request === undefined) return undefined
  if (!request.fingerprint.equals(printOf(asked))) return { kind: 'refused', code: 'request_id_reused' }
  const standing = await standingOf(store.db, request.order_id)
  if (standing === undefined) throw new Error(`order ${request.order_id} has gone`)
  return { kind: 'order', standing, first: false }
}

async function insert({ store, newId, now }: OrdersWork, wish: OrderWish): Promise<OrderRow> {
  const at = new Date(now())
  const order: OrderRow = {
    ...wish.details,
    id: newId(),
    merchant_id: wish.name.merchant_id,
    status: 'CREATED',
    amount: String(wish.minor),
    currency: wish.currency,
    payer_id: null,
    created_at: at,
    updated_at: at,
    expires_at: new Date(now() + orderMs),
    held_until: null,
  }
  const request = { ...wish.name, fingerprint: printOf(wish.asked), order_id: order.id, payment_id: null }
  await store.transaction(async ({ db }) => {
    await Promise.all([
      db
        .insertInto('requests')
        .values({ ...request, created_at: at })
        .execute(),
      db.insertInto('orders').values(order).execute(),
    ])
  })
  return order
}

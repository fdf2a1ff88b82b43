import { createHash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Store } from 'trestle/store'
import type { Refusal } from './refusal.ts'
import type { OrdersTables, PlacementsTable } from './tables.ts'

// A placement is a request to place an order, written down before anything else happens. Whoever works on it holds a
// lease; when that has run out, another may take it over with a higher fence, and the earlier one can write no more.

/** Longer than `place` may take, so that a lease runs out only after a crash. */
export const leaseMs = 15_000
/** How long the reply to a key is kept. */
export const keyKeptMs = 24 * 60 * 60_000

/** A placement that is ours to go on with. */
export interface Work {
  readonly customerId: string
  readonly keyHash: Buffer
  readonly orderId: string
  readonly fence: number
}

export type Claim =
  | { readonly kind: 'new'; readonly work: Work }
  /** Somebody stopped in the middle; under `staleOrderId` there may be a reservation. */
  | { readonly kind: 'again'; readonly work: Work; readonly staleOrderId: string }
  /** The order is there; only the cart has to be cleared. */
  | { readonly kind: 'ordered'; readonly work: Work; readonly cartVersion: number }
  | { readonly kind: 'done'; readonly orderId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'busy'; readonly retryAfterMs: number }

export interface ClaimRequest {
  readonly customerId: string
  readonly key: string
  readonly newId: () => string
  readonly now: () => number
}

type Db = Kysely<OrdersTables>

/** Writes a placement down, or finds out what has become of the one with this key. */
export function claim(store: Store<OrdersTables>, request: ClaimRequest): Promise<Claim> {
  return store.transaction(({ db }) => claimIn(db, request))
}

async function claimIn(db: Db, { customerId, key, newId, now }: ClaimRequest): Promise<Claim> {
  const at = now()
  const work = { customerId, keyHash: hashOf(key), orderId: newId(), fence: 1 }
  const isNew = await db
    .insertInto('placements')
    .values({
      customer_id: customerId,
      key_hash: work.keyHash,
      order_id: work.orderId,
      state: 'running',
      refusal: null,
      cart_version: null,
      fence: work.fence,
      lease_until: new Date(at + leaseMs),
      created_at: new Date(at),
    })
    // Its key may be known, or another order of this customer may be on its way.
    .onConflict((conflict) => conflict.doNothing())
    .returning('fence')
    .executeTakeFirst()
  if (isNew !== undefined) return { kind: 'new', work }
  const known = await db
    .selectFrom('placements')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('key_hash', '=', work.keyHash)
    .forUpdate()
    .executeTakeFirst()
  if (known === undefined) return { kind: 'busy', retryAfterMs: leaseMs }
  return settled(known) ?? (await takeOver(db, known, { newOrderId: work.orderId, at }))
}

function settled(known: Selectable<PlacementsTable>): Claim | undefined {
  if (known.state === 'done') return { kind: 'done', orderId: known.order_id }
  if (known.refusal !== null) return { kind: 'refused', refusal: known.refusal }
  return undefined
}

/** Goes on with a locked placement whose lease has run out; a fresh order id, for nobody knows what the old one holds. */
async function takeOver(
  db: Db,
  known: Selectable<PlacementsTable>,
  { newOrderId, at }: { readonly newOrderId: string; readonly at: number },
): Promise<Claim> {
  const leftMs = known.lease_until.getTime() - at
  if (leftMs > 0) return { kind: 'busy', retryAfterMs: leftMs }
  const orderId = known.state === 'ordered' ? known.order_id : newOrderId
  const work = { customerId: known.customer_id, keyHash: known.key_hash, orderId, fence: known.fence + 1 }
  await db
    .updateTable('placements')
    .set({ fence: work.fence, order_id: orderId, lease_until: new Date(at + leaseMs) })
    .where('customer_id', '=', known.customer_id)
    .where('key_hash', '=', known.key_hash)
    .execute()
  return known.cart_version === null
    ? { kind: 'again', work, staleOrderId: known.order_id }
    : { kind: 'ordered', work, cartVersion: known.cart_version }
}

/** Takes over one placement that somebody left in the middle; `undefined` when there is none. */
export function claimAbandoned(store: Store<OrdersTables>, newId: () => string, at: number) {
  return store.transaction(async ({ db }) => {
    const left = await db
      .selectFrom('placements')
      .selectAll()
      .where('state', 'in', ['running', 'ordered'])
      .where('lease_until', '<=', new Date(at))
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst()
    return left === undefined ? undefined : await takeOver(db, left, { newOrderId: newId(), at })
  })
}

/** Whether a request with this key still has to wait: for whoever works on it, or for the end of another order. */
export async function mustWait(db: Db, customerId: string, key: string, at: number): Promise<boolean> {
  const running = await db
    .selectFrom('placements')
    .select('fence')
    .where('customer_id', '=', customerId)
    .where('state', 'in', ['running', 'ordered'])
    .where((either) => either.or([either('lease_until', '>', new Date(at)), either('key_hash', '!=', hashOf(key))]))
    .executeTakeFirst()
  return running !== undefined
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function mine(db: Db, { customerId, keyHash, fence }: Work) {
  return db
    .updateTable('placements')
    .where('customer_id', '=', customerId)
    .where('key_hash', '=', keyHash)
    .where('fence', '=', fence)
}

/** Says that the order has been written; `false` when somebody else has taken over. */
export async function markOrdered(db: Db, work: Work, cartVersion: number): Promise<boolean> {
  const marked = mine(db, work).where('state', '=', 'running').set({ state: 'ordered', cart_version: cartVersion })
  return (await marked.returning('fence').executeTakeFirst()) !== undefined
}

/** Says that the cart has been cleared too. */
export async function markDone(db: Db, work: Work): Promise<void> {
  await mine(db, work).where('state', '=', 'ordered').set({ state: 'done' }).execute()
}

/** Keeps a refusal for the key. */
export async function markRefused(db: Db, work: Work, refusal: Refusal): Promise<void> {
  const kept = JSON.stringify(refusal) as never
  await mine(db, work).where('state', '=', 'running').set({ state: 'refused', refusal: kept }).execute()
}

/** Gives the lease up, so that the same key may go on at once. */
export async function giveUp(db: Db, work: Work, at: number): Promise<void> {
  await mine(db, work)
    .set({ lease_until: new Date(at) })
    .execute()
}

/** Forgets a placement that came to nothing, so that its key may be used again. */
export async function forget(db: Db, { customerId, keyHash, fence }: Work): Promise<void> {
  await db
    .deleteFrom('placements')
    .where('customer_id', '=', customerId)
    .where('key_hash', '=', keyHash)
    .where('fence', '=', fence)
    .where('state', '=', 'running')
    .execute()
}

/** Forgets the replies that need no longer be kept. */
export async function forgetOld(db: Db, now: number): Promise<void> {
  await db
    .deleteFrom('placements')
    .where('state', 'in', ['done', 'refused'])
    .where('created_at', '<=', new Date(now - keyKeptMs))
    .execute()
}

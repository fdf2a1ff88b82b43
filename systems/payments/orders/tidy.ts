import { type Kysely, sql } from 'kysely'
import { close } from './call-off.ts'
import { decideVoid } from './decide.ts'
import { writeDown } from './move.ts'
import { settle } from './settle.ts'
import type { OrdersTables, PaymentRow } from './tables.ts'
import type { OrdersWork } from './uses.ts'

// Each is one run of a job: it opens one transaction, and says whether there is more to do.

/** Who has written a movement down ends it within this time, unless it has died. */
export const abandonedMs = 10_000

const perRunMax = 100

/** Ends a movement that somebody has left pending. One that cannot be ended now goes to the end of the line. */
export async function settleAbandoned(work: OrdersWork): Promise<boolean> {
  const at = new Date(work.now())
  const left = await work.store.db
    .updateTable('payments')
    .set({ updated_at: at })
    .where('state', '=', 'pending')
    .where('id', '=', (from) =>
      from
        .selectFrom('payments')
        .select('id')
        .where('state', '=', 'pending')
        .where('updated_at', '<=', new Date(work.now() - abandonedMs))
        .orderBy('updated_at')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .executeTakeFirst()
  if (left !== undefined) await settle(work, left)
  return left !== undefined
}

/** Voids orders that nobody approved or paid in time. */
export async function expireOrders(work: OrdersWork): Promise<boolean> {
  const at = new Date(work.now())
  return await work.store.transaction(async (tx) => {
    const expired = await tx.db
      .selectFrom('orders')
      .select(['id', 'merchant_id'])
      .where('status', 'in', ['CREATED', 'APPROVED'])
      .where('expires_at', '<=', at)
      .orderBy('id')
      .limit(perRunMax)
      .forUpdate()
      .skipLocked()
      .execute()
    let closed = 0
    for (const { id, merchant_id } of expired) {
      if ((await close(tx, id, merchant_id, at)).kind === 'called-off') closed++
    }
    return closed === perRunMax
  })
}

/** Writes down that authorizations which were held too long are voided; `settleAbandoned` sees to it. */
export async function expireAuthorizations(work: OrdersWork): Promise<boolean> {
  return await work.store.transaction(async (tx) => {
    const expired = await heldTooLong(tx.db, new Date(work.now()))
    for (const { id, order_id, merchant_id } of expired) {
      await writeDown(work, tx.db, {
        name: { merchant_id, operation: 'expire', request_id: id },
        asked: null,
        orderId: order_id,
        decide: (standing) => decideVoid(standing, id),
      })
    }
    return expired.length === perRunMax
  })
}

async function heldTooLong(db: Kysely<OrdersTables>, at: Date) {
  // Not those that are closed, nor those about which something is on its way.
  const { rows } = await sql<Pick<PaymentRow, 'id' | 'order_id'> & { merchant_id: string }>`
    select held.id, held.order_id, orders.merchant_id
    from payments held join orders on orders.id = held.order_id
    where held.kind = 'authorization' and held.state = 'done' and held.expires_at <= ${at} and not exists (
      select from payments later where later.order_id = held.order_id
      and (later.state = 'pending' or (later.about = held.id and later.state = 'done' and later.final))
    )
    order by held.order_id limit ${perRunMax}`.execute(db)
  return rows
}

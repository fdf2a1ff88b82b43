import { type Kysely, sql } from 'kysely'
import { close } from './call-off.ts'
import { decideVoid } from './decide.ts'
import { writeDown } from './move.ts'
import { settle } from './settle.ts'
import { openAuthorization } from './standing.ts'
import type { OrdersTables } from './tables.ts'
import type { OrdersWork } from './uses.ts'

// Each is one run of a job: it opens one transaction, and says whether there is more to do.

/** Who has written a movement down ends it within this time, unless it has died. */
export const abandonedMs = 10_000

/** A movement that was written down further ahead was so before the clock was put back. */
const clocksApartMs = 5_000

const perRunMax = 100

// A partial index serves a statement that says its condition with the same words, not with a parameter.
const pending = sql.lit('pending' as const)
const unpaid = (['CREATED', 'APPROVED'] as const).map((status) => sql.lit(status))

/** Ends a movement that somebody has left pending. One that cannot be ended now goes to the end of the line. */
export async function settleAbandoned(work: OrdersWork): Promise<boolean> {
  const now = work.now()
  const left = await work.store.db
    .updateTable('payments')
    .set({ updated_at: new Date(now) })
    .where('state', '=', pending)
    .where('id', '=', (from) =>
      from
        .selectFrom('payments')
        .select('id')
        .where('state', '=', pending)
        .where((where) =>
          where.or([
            where('updated_at', '<=', new Date(now - abandonedMs)),
            where('updated_at', '>', new Date(now + clocksApartMs)),
          ]),
        )
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
    const expired = await dueOrders(tx.db, 'expires_at', at).where('status', 'in', unpaid).execute()
    let closed = 0
    for (const { id, merchant_id } of expired) {
      if ((await close(tx, id, merchant_id, at)).kind === 'called-off') closed++
    }
    return closed > 0 && expired.length === perRunMax
  })
}

/** Writes down that authorizations which were held too long are voided; `settleAbandoned` sees to it. */
export async function expireAuthorizations(work: OrdersWork): Promise<boolean> {
  return await work.store.transaction(async ({ db }) => {
    const expired = await dueOrders(db, 'held_until', new Date(work.now())).execute()
    let written = 0
    for (const { id, merchant_id } of expired) {
      const step = await writeDown(work, db, {
        name: { merchant_id, operation: 'expire', request_id: id },
        asked: null,
        orderId: id,
        decide(standing) {
          const held = openAuthorization(standing)
          return held === undefined ? 'previously_voided' : decideVoid(standing, held.id)
        },
      })
      if (step.kind === 'mine') written++
    }
    return written > 0 && expired.length === perRunMax
  })
}

/** Orders whose time has come, locked. Not those of which a movement is on its way: that ends first. */
function dueOrders(db: Kysely<OrdersTables>, time: 'expires_at' | 'held_until', at: Date) {
  return db
    .selectFrom('orders')
    .select(['id', 'merchant_id'])
    .where(time, '<=', at)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('payments')
            .select('payments.id')
            .whereRef('payments.order_id', '=', 'orders.id')
            .where('payments.state', '=', pending),
        ),
      ),
    )
    .orderBy(time)
    .limit(perRunMax)
    .forUpdate()
    .skipLocked()
}

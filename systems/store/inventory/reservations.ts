import { type Kysely, sql } from 'kysely'
import type { InventoryTables, MovementRow, ReservationRow } from './tables.ts'

// Who changes stock locks the reservation first and then its stock rows in the order of their units: no two of these
// can wait for each other. Each function runs inside one transaction of its caller.

/** How long stock is held for an order whose payment has not begun. */
export const holdMs = 30 * 60_000

export interface Line {
  readonly sku: string
  readonly quantity: number
}

/** The product of which there is not enough. */
export interface Short {
  readonly sku: string
  readonly available: number
}

type Db = Kysely<InventoryTables>

/** The reservation of an order, as it stands. */
export function reservationOf(db: Db, orderId: string): Promise<ReservationRow | undefined> {
  return db.selectFrom('reservations').selectAll().where('order_id', '=', orderId).executeTakeFirst()
}

/** The first product of which there is not enough now. Takes no lock: refuses a crowd before it queues. */
export async function shortNow(db: Db, lines: readonly Line[]): Promise<Short | undefined> {
  return firstShort(lines, await stockOf(db, lines).execute())
}

/**
 * Holds all lines for an order, or none: when the answer is what is short, the transaction must be rolled back.
 * An order that has a reservation of these lines keeps it as it is; there is no answer when it is one of others.
 */
export async function hold(db: Db, orderId: string, lines: readonly Line[], now: number) {
  const reservation = await db
    .insertInto('reservations')
    .values({ order_id: orderId, state: 'held', expires_at: new Date(now + holdMs), created_at: new Date(now) })
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .returningAll()
    .executeTakeFirst()
  const wanted = gathered(lines)
  if (reservation === undefined) return { reservation: await existing(db, orderId, wanted) }
  const short = firstShort(wanted, await stockOf(db, wanted).forUpdate().execute())
  if (short !== undefined) return { short }
  await Promise.all([
    db
      .insertInto('reservation_lines')
      .values(wanted.map((line) => ({ order_id: orderId, ...line })))
      .execute(),
    shift(db, orderId, { reserved: 1, onHand: 0 }),
  ])
  return { reservation }
}

/** Holds what is reserved until it is taken or given back. Answers with the reservation as it is then. */
export async function keep(db: Db, reservation: ReservationRow): Promise<ReservationRow> {
  if (reservation.state !== 'held' || reservation.expires_at === null) return reservation
  await db.updateTable('reservations').set({ expires_at: null }).where('order_id', '=', reservation.order_id).execute()
  return { ...reservation, expires_at: null }
}

/** Takes what is held out of the stock. Answers with the reservation as it is then. */
export async function take(db: Db, reservation: ReservationRow, now: number): Promise<ReservationRow> {
  if (reservation.state !== 'held') return reservation
  await lockStock(db, reservation.order_id)
  await Promise.all([
    shift(db, reservation.order_id, { reserved: -1, onHand: -1 }),
    bookMovements(db, reservation.order_id, 'sale', now),
  ])
  return await setState(db, reservation, 'committed')
}

/** Gives back what is held or was taken. Answers with the reservation as it is then. */
export async function giveBack(db: Db, reservation: ReservationRow, now: number): Promise<ReservationRow> {
  if (reservation.state === 'released') return reservation
  await lockStock(db, reservation.order_id)
  if (reservation.state === 'held') {
    await shift(db, reservation.order_id, { reserved: -1, onHand: 0 })
  } else {
    await shift(db, reservation.order_id, { reserved: 0, onHand: 1 })
    await bookMovements(db, reservation.order_id, 'return', now)
  }
  return await setState(db, reservation, 'released')
}

/** Locks an order's reservation. */
export function lockReservation(db: Db, orderId: string): Promise<ReservationRow | undefined> {
  return db.selectFrom('reservations').selectAll().where('order_id', '=', orderId).forUpdate().executeTakeFirst()
}

/** Locks an order's reservation; where there is none yet, writes one that is closed, so that none can come later. */
export async function lockOrClose(db: Db, orderId: string, now: number): Promise<ReservationRow> {
  await db
    .insertInto('reservations')
    .values({ order_id: orderId, state: 'released', expires_at: new Date(now), created_at: new Date(now) })
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .execute()
  return (await lockReservation(db, orderId)) as ReservationRow
}

/** The reservation of an order, if it is one of these lines: somebody may have filled their cart anew since. */
async function existing(db: Db, orderId: string, wanted: readonly Line[]): Promise<ReservationRow | undefined> {
  const [reservation, held] = await Promise.all([
    reservationOf(db, orderId),
    db.selectFrom('reservation_lines').select(['sku', 'quantity']).where('order_id', '=', orderId).execute(),
  ])
  const same = wanted.filter((line) => held.some(({ sku, quantity }) => sku === line.sku && quantity === line.quantity))
  return same.length === wanted.length && same.length === held.length ? reservation : undefined
}

function stockOf(db: Db, lines: readonly Line[]) {
  const skus = lines.map((line) => line.sku)
  return db.selectFrom('stock').select(['sku', 'on_hand', 'reserved']).where('sku', 'in', skus).orderBy('sku')
}

function firstShort(
  lines: readonly Line[],
  stock: readonly { readonly sku: string; readonly on_hand: number; readonly reserved: number }[],
): Short | undefined {
  const available = new Map(stock.map((row) => [row.sku, row.on_hand - row.reserved]))
  const short = lines.find((line) => line.quantity > (available.get(line.sku) ?? 0))
  return short === undefined ? undefined : { sku: short.sku, available: available.get(short.sku) ?? 0 }
}

/** Lines of one product become one line, and lines stand in the order of their units. */
function gathered(lines: readonly Line[]): readonly Line[] {
  const quantities = new Map<string, number>()
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity })).toSorted((a, b) => (a.sku < b.sku ? -1 : 1))
}

async function lockStock(db: Db, orderId: string): Promise<void> {
  await db
    .selectFrom('stock')
    .select('sku')
    .where('sku', 'in', db.selectFrom('reservation_lines').select('sku').where('order_id', '=', orderId))
    .orderBy('sku')
    .forUpdate()
    .execute()
}

async function shift(db: Db, orderId: string, sign: { readonly reserved: number; readonly onHand: number }) {
  await db
    .updateTable('stock')
    .from('reservation_lines as line')
    .set({
      reserved: sql`stock.reserved + ${sign.reserved}::integer * line.quantity`,
      on_hand: sql`stock.on_hand + ${sign.onHand}::integer * line.quantity`,
    })
    .where('line.order_id', '=', orderId)
    .whereRef('line.sku', '=', 'stock.sku')
    .execute()
}

async function bookMovements(db: Db, orderId: string, kind: MovementRow['kind'], now: number): Promise<void> {
  await db
    .insertInto('movements')
    .columns(['sku', 'kind', 'reference', 'quantity', 'at'])
    .expression((from) =>
      from
        .selectFrom('reservation_lines')
        .select(['sku', sql.val(kind).as('kind'), sql.val(orderId).as('reference'), 'quantity'])
        .select(sql<Date>`${new Date(now)}::timestamptz`.as('at'))
        .where('order_id', '=', orderId),
    )
    .execute()
}

async function setState(db: Db, reservation: ReservationRow, state: ReservationRow['state']): Promise<ReservationRow> {
  await db.updateTable('reservations').set({ state }).where('order_id', '=', reservation.order_id).execute()
  return { ...reservation, state }
}

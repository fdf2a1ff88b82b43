import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { isUniqueViolation } from 'trestle/store'
import type { Movement } from './decide.ts'
import { lockStanding, type RequestName, requestOf, standingOf } from './order-rows.ts'
import { settle } from './settle.ts'
import type { Standing } from './standing.ts'
import type { OrderRow, OrdersTables, PaymentRow, RequestRow } from './tables.ts'
import type { OrdersWork } from './uses.ts'

type Db = Kysely<OrdersTables>

/** A merchant's request to move money of an order. */
export interface MoveRequest<Decision extends string | Movement> {
  readonly name: RequestName
  /** What was asked, as far as it is not in the name. */
  readonly asked: unknown
  readonly orderId: string
  /** A refusal by its code, or the movement. */
  readonly decide: (standing: Standing) => Decision
}

/** What became of it. `first`: this call wrote it down; a repetition finds it. */
export type Moved<Decision> =
  | { readonly kind: 'moved'; readonly payment: PaymentRow; readonly standing: Standing; readonly first: boolean }
  | { readonly kind: 'refused'; readonly code: Extract<Decision, string> | 'invalid_resource_id' | 'request_id_reused' }

/** How long an authorization holds. */
export const authorizationMs = 29 * 24 * 60 * 60_000

/** How many movements of others one request may help along before its own turn comes. */
const turnsMax = 50

type Step<Decision> =
  | { readonly kind: 'mine'; readonly payment: PaymentRow; readonly order?: OrderRow; readonly first: boolean }
  | { readonly kind: 'other'; readonly payment: PaymentRow; readonly order: OrderRow }
  | (Moved<Decision> & { readonly kind: 'refused' })

/**
 * Moves money of an order, once for each request: writes the movement down as pending, makes it in the ledger under its
 * id, ends it. Whoever meets a movement that somebody has left pending ends it first: so does the next request about the
 * order, the same request again, and the job `settle-abandoned`.
 */
export async function move<Decision extends string | Movement>(
  work: OrdersWork,
  request: MoveRequest<Decision>,
): Promise<Moved<Decision>> {
  for (let turn = 0, first = false; turn < turnsMax; turn++) {
    const known = await knownStep(work.store.db, request)
    const step = known ?? (await firstStep(work, request))
    if (step === undefined) continue
    if (step.kind === 'refused') return step
    if (step.kind === 'mine') first ||= step.first
    const { payment, order } = step
    const standing =
      payment.state === 'pending'
        ? await settle(work, payment, order)
        : await standingOf(work.store.db, payment.order_id)
    if (step.kind === 'mine') return ended(standing, payment.id, first)
  }
  throw new Error(`order ${request.orderId} is asked for more than can be done in one request`)
}

/** Without a lock: most repetitions come when all is done. */
async function knownStep<Decision extends string | Movement>(
  db: Db,
  request: MoveRequest<Decision>,
): Promise<Step<Decision> | undefined> {
  const known = await requestOf(db, request.name)
  return known === undefined ? undefined : await stepOf(db, request, known)
}

/** `undefined`: meanwhile its id was given to a request about another order, whose lock is not the one that is held here. */
async function firstStep<Decision extends string | Movement>(
  work: OrdersWork,
  request: MoveRequest<Decision>,
): Promise<Step<Decision> | undefined> {
  try {
    return await work.store.transaction(({ db }) => writeDown(work, db, request))
  } catch (error) {
    if (isUniqueViolation(error, 'requests_pkey')) return undefined
    throw error
  }
}

async function stepOf<Decision extends string | Movement>(
  db: Db,
  request: MoveRequest<Decision>,
  known: RequestRow,
): Promise<Step<Decision>> {
  if (known.order_id !== request.orderId || !known.fingerprint.equals(printOf(request.asked))) {
    return { kind: 'refused', code: 'request_id_reused' }
  }
  const payment = await db
    .selectFrom('payments')
    .selectAll()
    .where('id', '=', known.payment_id)
    .executeTakeFirstOrThrow()
  return { kind: 'mine', payment, first: false }
}

/** Writes a movement down as pending; its caller is inside a transaction. */
export async function writeDown<Decision extends string | Movement>(
  { newId, now }: Pick<OrdersWork, 'newId' | 'now'>,
  db: Db,
  request: MoveRequest<Decision>,
): Promise<Step<Decision>> {
  const [standing, meanwhile] = await Promise.all([lockStanding(db, request.orderId), requestOf(db, request.name)])
  if (standing === undefined || standing.order.merchant_id !== request.name.merchant_id) {
    return { kind: 'refused', code: 'invalid_resource_id' }
  }
  if (meanwhile !== undefined) return await stepOf(db, request, meanwhile)
  const { order } = standing
  const pending = standing.payments.find(({ state }) => state === 'pending')
  if (pending !== undefined) return { kind: 'other', payment: pending, order }
  const decision: string | Movement = request.decide(standing)
  if (typeof decision === 'string') return { kind: 'refused', code: decision as Extract<Decision, string> }
  const payment = paymentRow(decision, request.orderId, newId(), now())
  const row = {
    ...request.name,
    fingerprint: printOf(request.asked),
    order_id: request.orderId,
    payment_id: payment.id,
    created_at: payment.created_at,
  }
  await Promise.all([
    db.insertInto('payments').values(payment).execute(),
    db.insertInto('requests').values(row).execute(),
  ])
  return { kind: 'mine', payment, order, first: true }
}

function paymentRow(movement: Movement, order_id: string, id: string, now: number): PaymentRow {
  const at = new Date(now)
  const expires_at = movement.kind === 'authorization' ? new Date(now + authorizationMs) : null
  return {
    ...movement,
    id,
    order_id,
    amount: String(movement.amount),
    state: 'pending',
    created_at: at,
    updated_at: at,
    expires_at,
  }
}

function ended(standing: Standing | undefined, id: string, first: boolean) {
  const payment = standing?.payments.find((each) => each.id === id)
  if (standing === undefined || payment === undefined) throw new Error(`payment ${id} has gone`)
  return { kind: 'moved', payment, standing, first } as const
}

/** Stands for what was asked; the parsed input has its fields in the order of its schema. */
export function printOf(asked: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(asked)).digest()
}

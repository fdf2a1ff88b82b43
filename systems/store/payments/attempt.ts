import { sql } from 'kysely'
import { isCallError } from 'trestle/service'
import { type Facts, learn } from './facts.ts'
import type { PaymentRow } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

/** Something that is asked of the payment system and has an effect there. An order has one of each kind. */
export interface Attempt {
  readonly kind: 'create' | 'authorize' | 'capture' | 'void-order' | 'void-authorization' | 'refund'
  readonly ask: (requestId: string) => Promise<Facts>
  /** How the payment stands at the payment system; `undefined`: it knows of none. */
  readonly look: () => Promise<Facts | undefined>
  /** What a refusal means that a look does not explain; `undefined`: nothing, and it is thrown. */
  readonly refused: (code: string) => Facts | undefined
}

/** Refusals that mean: this has happened already, or something else has. A look tells which. */
const lookFirst: ReadonlySet<string> = new Set([
  'duplicate_invoice_id',
  'order_already_authorized',
  'order_already_captured',
  'order_voided',
  'authorization_already_captured',
  'authorization_voided',
  'previously_voided',
  'previously_captured',
  'capture_fully_refunded',
])

/** The id under which a request has one effect at the payment system. */
export function requestIdOf(orderId: string, kind: Attempt['kind']): string {
  return `${orderId}:${kind}`
}

/**
 * Asks the payment system for something: notes it first, so that nothing is asked in secret, and learns from the answer.
 * @throws CallError when it refused and that means nothing for the payment, or as long as nobody knows what came of it
 */
export async function attempt(work: PaymentsWork, orderId: string, { kind, ask, look, refused }: Attempt) {
  const requestId = requestIdOf(orderId, kind)
  await note(work, orderId, requestId)
  try {
    return await settle(work, orderId, requestId, 'done', await ask(requestId))
  } catch (error) {
    if (!isCallError(error) || !error.declared) throw error
    const facts = lookFirst.has(error.code) ? await look() : refused(error.code)
    if (facts === undefined) throw error
    return await settle(work, orderId, requestId, error.code, facts)
  }
}

async function note({ store, now }: PaymentsWork, orderId: string, requestId: string): Promise<void> {
  await store.db
    .insertInto('attempts')
    .values({ request_id: requestId, order_id: orderId, sent_at: new Date(now()) })
    .onConflict((conflict) => conflict.column('request_id').doUpdateSet({ tries: sql`attempts.tries + 1` }))
    .execute()
}

function settle(
  { store, now }: PaymentsWork,
  orderId: string,
  requestId: string,
  outcome: string,
  facts: Facts,
): Promise<PaymentRow> {
  return store.transaction(async (tx) => {
    await tx.db.updateTable('attempts').set({ outcome }).where('request_id', '=', requestId).execute()
    return await learn(tx, orderId, facts, now())
  })
}

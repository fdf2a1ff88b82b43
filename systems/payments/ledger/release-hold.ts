import { held, wallet } from './accounts.ts'
import { type TransferDeps, transfer } from './transfer.ts'
import type { Currency } from '../money.ts'

/** Gives what is left of a hold back to its payer. */
export async function releaseHold(deps: TransferDeps, id: string): Promise<void> {
  const put = await deps.store.db
    .selectFrom('transactions')
    .select(['payer_id', 'merchant_id', 'order_id', 'invoice_id', 'currency'])
    .where('reference', '=', `hold:${id}`)
    .where('refused', 'is', null)
    .executeTakeFirst()
  if (put === undefined) return
  const { currency, ...payment } = put
  await transfer(deps, {
    reference: `release:${id}`,
    minor: 'all',
    // What was written came from `readAmount`.
    currency: currency as Currency,
    from: held(id, payment.payer_id),
    to: wallet(payment.payer_id),
    payment,
  })
}

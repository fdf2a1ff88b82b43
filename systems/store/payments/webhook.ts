import type { Store } from 'trestle/store'
import { learn, lockPayment } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { Told } from './provider/told.ts'
import type { PaymentsTables } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

/** The payment system repeats an event for some days, and may be asked to for thirty. */
const rememberedMs = 40 * 86_400_000

/** The path at which the payment system tells the store what happens. */
const path = '/webhooks/payments'

/** Where the payment system finds the store: `STORE_URL`, else where its gateway listens. */
function webhookUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return new URL(path, env['STORE_URL'] ?? env['TRESTLE_GATEWAY_URL'] ?? 'http://127.0.0.1:4000').href
}

/** Takes in what was told, once for each event. */
export async function takeIn(store: Store<PaymentsTables>, { eventId, orderId, facts }: Told, now: number) {
  await store.transaction(async (tx) => {
    const isNew = await tx.db
      .insertInto('webhook_events')
      .values({ id: eventId, received_at: new Date(now) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (isNew === undefined || orderId === undefined) return
    // Another system of ours may use the same client.
    if ((await lockPayment(tx, orderId)) !== undefined) await learn(tx, orderId, facts, now)
  })
}

/** The id under which this store hears of events; `undefined`: it is not registered yet. */
export async function webhookId(store: Store<PaymentsTables>): Promise<string | undefined> {
  const known = await store.db.selectFrom('webhooks').select('id').where('url', '=', webhookUrl()).executeTakeFirst()
  return known?.id
}

/** Has the payment system tell this store what happens, if it does not yet. */
export async function register({ store, ...work }: PaymentsWork, provider: Provider): Promise<void> {
  if ((await webhookId(store)) !== undefined) return
  const url = webhookUrl()
  const id = await provider.listen(work, url)
  await store.db
    .insertInto('webhooks')
    .values({ url, id, registered_at: new Date(work.now()) })
    .onConflict((conflict) => conflict.column('url').doUpdateSet({ id }))
    .execute()
}

/** Forgets events that will not come again. */
export async function forgetOld(store: Store<PaymentsTables>, now: number): Promise<void> {
  await store.db
    .deleteFrom('webhook_events')
    .where('received_at', '<=', new Date(now - rememberedMs))
    .execute()
}

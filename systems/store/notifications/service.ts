import { createHash } from 'node:crypto'
import { implement } from 'trestle/service'
import { postgres, type Store } from 'trestle/store'
import { accounts } from '../accounts/contract.ts'
import { orders } from '../orders/contract.ts'
import { notifications } from './contract.ts'
import { sendMail } from './mail.ts'
import type { MailRow, NotificationsTables } from './tables.ts'
import { textAbout } from './text.ts'

const impl = implement(notifications, {
  uses: { accounts },
  store: postgres<NotificationsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

/** Tells the shopper how an order ended. The mail server has no part in our transactions: it may get a message twice. */
const tellShopper = impl.effect(orders.events.settled, async ({ event, call, store, key, now, log }) => {
  const { id: orderId, status: kind } = event
  // Its event is replayed: what was not sent is sent now, and nothing twice.
  if ((await outcomeOf(store, orderId, kind)) === 'sent') return
  const messageId = `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@store.example>`
  const contact = await call.accounts.contact.try({ userId: event.customerId })
  if (!contact.ok && contact.error.code !== 'user_not_found') throw contact.error
  const outcome = contact.ok
    ? await sendMail({
        to: { name: contact.value.name, address: contact.value.email },
        ...textAbout(event, contact.value.name),
        messageId,
      })
    : 'no_account'
  if (outcome !== 'sent') log.warn({ orderId, outcome }, 'a message about an order was not sent')
  await store.transaction(({ db }) =>
    db
      .insertInto('mails')
      .values({ order_id: orderId, kind, outcome, message_id: messageId, at: new Date(now()) })
      .onConflict((conflict) =>
        conflict.columns(['order_id', 'kind']).doUpdateSet({ outcome, message_id: messageId, at: new Date(now()) }),
      )
      .execute(),
  )
})

const ofOrder = impl.handler('ofOrder', async ({ input, store }) => {
  const mails = await store.db
    .selectFrom('mails')
    .selectAll()
    .where('order_id', '=', input.orderId)
    .orderBy('at')
    .execute()
  return {
    items: mails.map(({ kind, outcome, message_id, at }) => ({
      kind,
      outcome,
      messageId: message_id,
      at: at.toISOString(),
    })),
  }
})

export default impl.service({ handlers: { ofOrder }, on: [tellShopper] })

async function outcomeOf({ db }: Store<NotificationsTables>, orderId: string, kind: MailRow['kind']) {
  const mail = await db
    .selectFrom('mails')
    .select('outcome')
    .where('order_id', '=', orderId)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return mail?.outcome
}

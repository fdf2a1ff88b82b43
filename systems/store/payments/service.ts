import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { attempt } from './attempt.ts'
import { beginPayment } from './begin.ts'
import { captureNow, wantCaptured } from './capture.ts'
import { payments } from './contract.ts'
import { stateOf } from './facts.ts'
import { giveBack } from './give-back.ts'
import { lookAfterPayments } from './look.ts'
import { paymentOf } from './payment-of.ts'
import { paymentView } from './payment-view.ts'
import { clientCredentials } from './provider/access-tokens.ts'
import { createProvider } from './provider/provider.ts'
import { isRecent, isSigned } from './provider/signature.ts'
import { createSigningKeys } from './provider/signing-keys.ts'
import { readTold } from './provider/told.ts'
import type { PaymentRow, PaymentsTables } from './tables.ts'
import { uses } from './uses.ts'
import { forgetOld, register, takeIn, webhookId } from './webhook.ts'

const provider = createProvider(clientCredentials())
const signingKeys = createSigningKeys()

const impl = implement(payments, {
  uses,
  store: postgres<PaymentsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const receive = impl.handler('receive', async ({ input, call, store, fail, now }) => {
  if (!isRecent(input, now())) return fail('not_genuine')
  const id = (await webhookId(store)) ?? fail('not_registered', { retryAfterMs: 5_000 })
  const key = (await signingKeys.find({ call, now }, input.keyId)) ?? fail('not_genuine')
  if (!isSigned(input, id, key)) return fail('not_genuine')
  const told = readTold(input.body) ?? fail('not_genuine')
  return await takeIn(store, told, now())
})

const begin = impl.handler('begin', async ({ input, fail, ...work }) =>
  goesOn(await beginPayment(work, provider, input), fail),
)

const authorise = impl.handler('authorise', async ({ input: { orderId }, fail, ...work }) => {
  const payment = (await paymentOf(work.store, orderId)) ?? fail('payment_not_found')
  const { provider_order_id: id } = payment
  const isOpen = ['open', 'approved'].includes(stateOf(payment))
  if (id === null || !isOpen) return goesOn(payment, fail)
  const authorised = await attempt(work, orderId, {
    kind: 'authorize',
    ask: (requestId) => provider.authorize(work, requestId, id),
    look: () => provider.find(work, id),
    refused: (code) => ({ declined: code }),
  })
  // Closed while it was authorised: what is held now is let go.
  return goesOn(authorised.closing_at === null ? authorised : await giveBack(work, provider, orderId), fail)
})

const capture = impl.handler('capture', async ({ input: { orderId }, fail, ...work }) => {
  const payment = (await wantCaptured(work, orderId)) ?? fail('payment_not_found')
  const isOver = payment.capturing_at === null || payment.capture_id !== null || payment.declined_reason !== null
  return goesOn(isOver ? payment : await captureNow(work, provider, payment), fail)
})

const refund = impl.handler('refund', async ({ input, ...work }) =>
  paymentView(await giveBack(work, provider, input.orderId)),
)

const find = impl.handler('find', async ({ input, store, fail }) =>
  paymentView((await paymentOf(store, input.orderId)) ?? fail('payment_not_found')),
)

const list = impl.handler('list', async ({ input, store, fail }) => {
  const after = input.cursor === undefined ? null : placeOf(['payments'], input.cursor, z.tuple([z.uuid()]))
  if (after === undefined) return fail('cursor_invalid')
  let rows = store.db.selectFrom('payments').selectAll()
  if (after !== null) rows = rows.where('order_id', '>', after[0])
  const found = await rows
    .orderBy('order_id')
    .limit(input.limit + 1)
    .execute()
  const page = cutPage(found, input.limit, (last) => cursorBehind(['payments'], [last.order_id]))
  return { items: page.items.map(paymentView), next: page.next }
})

export default impl.service({
  handlers: { receive, begin, authorise, capture, refund, find, list },
  jobs: [
    impl.every('5 seconds', 'register-webhook', (work) => register(work, provider)),
    impl.every('5 seconds', 'look-after-payments', async (work) => {
      const looked = await lookAfterPayments(work, provider)
      if (looked > 0) work.log.info({ looked }, 'asked the payment system how payments stand')
      return looked > 0 ? 'again' : undefined
    }),
    impl.every('1 hour', 'forget-old-events', ({ store, now }) => forgetOld(store, now())),
  ],
})

type FailPayment = (code: 'payment_closed') => never
type FailDeclined = (code: 'payment_declined', details: { reason: string }) => never

/** The payment, or why nothing comes of it. What was captured is, also when it has been given back since. */
function goesOn(payment: PaymentRow, fail: FailPayment & FailDeclined) {
  const state = stateOf(payment)
  if (state === 'closed') return fail('payment_closed')
  if (state === 'declined') return fail('payment_declined', { reason: payment.declined_reason ?? '' })
  return paymentView(payment)
}

import type { Visit } from 'trestle/testing'
import { ask, type WebReply } from '../web.ts'
import type { Buyer, Payer } from '../world.ts'
import { attemptOf } from './attempts.ts'
import type { PlacedOrder, Shop } from './shop.ts'

const lookEveryMs = 300
/** As long as a person would look at a page that does not say where to pay. */
const patienceMs = 40_000

/** Waits until the store says where to pay, and approves there, as the same person under another name. */
export async function approve(visit: Visit, shop: Shop, buyer: Buyer, { id }: PlacedOrder): Promise<void> {
  const providerOrder = await whereToPay(visit, shop, buyer, id)
  if (providerOrder === undefined) return
  const path = `/v2/checkout/orders/${providerOrder}/approve`
  const approved = await visit.ask({
    operation: 'payments.approve',
    key: `approve-${visit.number}`,
    actor: buyer.userId,
    input: { orderId: id, providerOrder },
    send: async (_key, signal) =>
      attemptOf(
        await asPayer(shop, buyer.payer, (token) => ask('POST', shop.payments + path, { body: {}, token, signal })),
      ),
  })
  if (approved.kind === 'ok') shop.world.approved.add(id)
}

async function whereToPay(
  visit: Visit,
  { store, payments }: Shop,
  { token }: Buyer,
  id: string,
): Promise<string | undefined> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookEveryMs) {
    const signal = AbortSignal.timeout(5_000)
    const order = await ask('GET', `${store}/orders/${id}`, { token, signal }).catch(() => undefined)
    const { status, approveUrl } = order?.status === 200 ? order.body : { status: 'pending', approveUrl: null }
    if (status !== 'pending') return undefined
    if (approveUrl !== null) return new URL(approveUrl, payments).searchParams.get('token') ?? undefined
    await visit.pause(lookEveryMs)
  }
  return undefined
}

/** Puts money into a wallet, sometimes by two requests with one id, sometimes by a third that says another amount under it. */
export async function topUp(visit: Visit, shop: Shop, { payer }: Buyer): Promise<void> {
  const value = `${1 + visit.draws.below(50)}.00`
  const key = `top-up-${visit.number}`
  const put = (operation: string, amount: string) =>
    visit.ask({
      operation,
      key,
      actor: payer.payerId,
      input: { value: amount },
      send: async (requestId, signal) =>
        attemptOf(
          await asPayer(shop, payer, (token) =>
            ask('POST', `${shop.payments}/v1/wallets/me/top-ups`, {
              body: { amount: { currency_code: 'EUR', value: amount } },
              headers: { 'pay-request-id': requestId },
              token,
              signal,
            }),
          ),
        ),
    })
  const times = visit.draws.fraction() < 0.5 ? 2 : 1
  const results = await Promise.all(Array.from({ length: times }, () => put('wallets.top-up', value)))
  if (results.every(({ kind }) => kind === 'ok')) await put('wallets.top-up-again', '99.00')
}

/** Sessions at the payment system are short: who is no longer known signs in, and asks again. */
async function asPayer(
  { world, payments }: Shop,
  payer: Payer,
  send: (token: string) => Promise<WebReply>,
): Promise<WebReply> {
  const reply = await send(world.sessions.get(payer.payerId) ?? payer.token)
  if (reply.status !== 401) return reply
  const { email, password } = payer
  const signal = AbortSignal.timeout(10_000)
  const session = await ask('POST', `${payments}/v1/wallets/sessions`, { body: { email, password }, signal })
  if (session.status !== 201) return { ...session, status: 503 }
  world.sessions.set(payer.payerId, session.body.access_token)
  return await send(session.body.access_token)
}

import { type Invariant, readOperationLog } from 'trestle/testing'
import type { CheckSettings } from '../check-settings.ts'
import { paymentsView, storeView } from '../view.ts'
import { eventInvariants } from './events.ts'
import { moneyInvariants } from './money.ts'
import { orderInvariants } from './orders.ts'
import { stockInvariants } from './stock.ts'

/** Invariants that are looked at together see one answer for so long. */
const sharedForMs = 400

/** All that must be true of the store, of the payment system and across both, by what they show to anybody, and by what the load has seen. */
export function storeInvariants(settings: CheckSettings): readonly Invariant[] {
  const { goods, buyers } = settings
  const store = storeView(settings.storeDataDir)
  const provider = paymentsView(settings.paymentsDataDir, settings.paymentsUrl)
  const payments = shared(() => store.payments())
  const source = {
    buyers,
    levels: shared(() => store.levels([...goods.skus, goods.scarce])),
    orders: shared(() => store.orders(buyers)),
    allOrders: shared(() => store.allOrders()),
    payments,
    shipments: () => store.shipments(),
    counts: () => store.counts(),
    mails: (ids: readonly string[]) => store.mails(ids),
    operations: () => readOperationLog(settings.log),
    trialBalance: () => provider.trialBalance(),
    entries: shared(() => provider.entries()),
    wallets: () => provider.wallets(buyers.map(({ payer }) => payer)),
    providerOrders: async () =>
      provider.orders((await payments()).flatMap(({ providerOrderId }) => providerOrderId ?? [])),
  }
  return [
    ...stockInvariants(source),
    ...orderInvariants(source),
    ...eventInvariants(source),
    ...moneyInvariants(source),
  ]
}

function shared<T>(get: () => Promise<T>): () => Promise<T> {
  let kept: { readonly at: number; readonly answer: Promise<T> } | undefined
  return () => {
    if (kept === undefined || performance.now() - kept.at > sharedForMs) kept = { at: performance.now(), answer: get() }
    return kept.answer
  }
}

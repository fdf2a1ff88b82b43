import { type Invariant, look, type LoggedOperation } from 'trestle/testing'
import { startBalance } from '../people.ts'
import {
  cents,
  type LedgerEntry,
  type OrderView,
  type PaymentView,
  type ProviderOrderView,
  type TrialBalance,
  type WalletView,
} from '../view.ts'
import type { Buyer } from '../world.ts'

interface MoneySource {
  readonly buyers: readonly Buyer[]
  readonly operations: () => readonly LoggedOperation[]
  readonly orders: () => Promise<readonly OrderView[]>
  readonly payments: () => Promise<readonly PaymentView[]>
  readonly trialBalance: () => Promise<TrialBalance>
  readonly entries: () => Promise<readonly LedgerEntry[]>
  readonly wallets: () => Promise<readonly WalletView[]>
  readonly providerOrders: () => Promise<readonly ProviderOrderView[]>
}

/** What must be true of money: in the store, in the payment system, and across both. */
export function moneyInvariants(source: MoneySource): readonly Invariant[] {
  return [...inTheStore(source), ...inThePaymentSystem(source), ...acrossBoth(source)]
}

function inTheStore({ orders, payments, operations }: MoneySource): readonly Invariant[] {
  return [
    {
      name: 'store: captured - refunded = total exactly when the order is paid',
      kind: 'eventually',
      look: async () => {
        const byOrder = new Map((await payments()).map((payment) => [payment.orderId, payment]))
        return look(await orders(), ({ id, status, total }) => {
          const net = netOf(byOrder.get(id))
          const wanted = status === 'confirmed' ? total.amount : 0
          return net === wanted ? undefined : `order ${id} is ${status}, costs ${total.amount} and has paid ${net}`
        })
      },
    },
    {
      name: 'store: what is captured is the price that was quoted',
      kind: 'always',
      look: async () => {
        const quoted = new Map(
          operations()
            .filter(({ operation, outcome }) => operation === 'orders.place' && outcome === 'ok')
            .map(({ output }) => output as Quote)
            .map(({ id, total }) => [id, total.amount]),
        )
        const taken = (await payments()).filter(({ orderId, captured }) => captured !== null && quoted.has(orderId))
        return look(taken, ({ orderId, captured }) =>
          captured?.amount === quoted.get(orderId)
            ? undefined
            : `order ${orderId} was quoted at ${quoted.get(orderId)} and charged ${captured?.amount}`,
        )
      },
    },
  ]
}

interface Quote {
  readonly id: string
  readonly total: { readonly amount: number }
}

function inThePaymentSystem({ trialBalance, wallets, entries, providerOrders, operations, buyers }: MoneySource) {
  const invariants: readonly Invariant[] = [
    {
      name: 'payments: debits = credits for each currency, and no account is broken or overdrawn',
      kind: 'always',
      look: async () => {
        const { currencies, faults } = await trialBalance()
        const balanced = look(currencies, ({ debits, credits, balances }) => {
          const all = Object.values(balances).reduce((sum, { value }) => sum + cents(value), 0)
          return debits.value === credits.value && all === 0
            ? undefined
            : `${debits.value} debits, ${credits.value} credits, ${all} in all accounts together`
        })
        const faulty = look(Object.entries(faults), ([name, count]) => (count === 0 ? undefined : `${count} ${name}`))
        return {
          checked: balanced.checked,
          violations: [...balanced.violations, ...faulty.violations],
        }
      },
    },
    {
      name: 'payments: captured <= authorised, refunded <= captured, one capture for each order',
      kind: 'eventually',
      look: async () =>
        look(await providerOrders(), ({ id, authorised, captured, captures, refunded }) =>
          captured <= authorised && refunded <= captured && captures <= 1
            ? undefined
            : `${id}: ${authorised} authorised, ${captured} captured by ${captures}, ${refunded} refunded`,
        ),
    },
    {
      name: 'payments: one effect for each request id: what payers have is what they brought, less what they paid',
      kind: 'eventually',
      look: async () => {
        const [all, moved, known] = [await wallets(), await entries(), operations()]
        const payerOf = payersOfOrders(known, buyers)
        return look(all, (wallet) => {
          const topUps = oncePerKey(known, 'wallets.top-up', wallet.payerId)
          if (topUps === undefined) return undefined
          const paid = moved
            .filter(({ invoice_id }) => payerOf.get(invoice_id ?? '') === wallet.payerId)
            .reduce((sum, entry) => sum + signed(entry), 0)
          const wanted = cents(startBalance.value) + topUps - paid
          const has = wallet.available + wallet.held
          return has === wanted ? undefined : `${wallet.payerId} has ${has} and should have ${wanted}`
        })
      },
    },
    {
      name: 'payments: the same request id with another amount is refused',
      kind: 'eventually',
      look: async () =>
        look(
          operations().filter(
            ({ operation, outcome }) => operation === 'wallets.top-up-again' && outcome !== 'unknown',
          ),
          ({ outcome, code, key }) =>
            outcome === 'fail' && code === 'request_id_reused' ? undefined : `${key} was answered ${outcome} ${code}`,
        ),
    },
  ]
  return invariants
}

function acrossBoth({ payments, entries }: MoneySource): readonly Invariant[] {
  return [
    {
      name: "across: the store's captures and refunds are the ledger's entries for that merchant, by order",
      kind: 'eventually',
      look: async () => {
        const [known, moved] = [await payments(), await entries()]
        const byOrder = Map.groupBy(moved, ({ invoice_id }) => invoice_id ?? 'none')
        const orderIds = new Set([...byOrder.keys(), ...known.map(({ orderId }) => orderId)])
        const ofStore = new Map(known.map((payment) => [payment.orderId, payment]))
        return look([...orderIds], (orderId) => {
          const payment = ofStore.get(orderId)
          const moves = byOrder.get(orderId)
          const sums = `${sumOf(moves, 'CREDIT')}, ${sumOf(moves, 'DEBIT')}`
          const told = `${payment?.captured?.amount ?? 0}, ${payment?.refunded?.amount ?? 0}`
          return sums === told
            ? undefined
            : `order ${orderId}: captured, refunded are ${told} in the store and ${sums} in the ledger`
        })
      },
    },
  ]
}

function netOf(payment: PaymentView | undefined): number {
  return (payment?.captured?.amount ?? 0) - (payment?.refunded?.amount ?? 0)
}

function sumOf(entries: readonly LedgerEntry[] = [], type: LedgerEntry['type']): number {
  return entries.filter((entry) => entry.type === type).reduce((sum, { amount }) => sum + cents(amount.value), 0)
}

/** From the payer's side: what the merchant got, the payer has paid. */
function signed({ type, amount }: LedgerEntry): number {
  return type === 'CREDIT' ? cents(amount.value) : -cents(amount.value)
}

function payersOfOrders(operations: readonly LoggedOperation[], buyers: readonly Buyer[]): ReadonlyMap<string, string> {
  const payers = new Map(buyers.map(({ userId, payer }) => [userId, payer.payerId]))
  return new Map(
    operations
      .filter(({ operation }) => operation === 'payments.approve')
      .map(({ input, actor }) => [(input as { orderId: string }).orderId, payers.get(actor ?? '') ?? '']),
  )
}

/** Cents of all top-ups that happened; `undefined` while nobody knows of one. */
function oncePerKey(operations: readonly LoggedOperation[], operation: string, actor: string): number | undefined {
  const mine = operations.filter((one) => one.operation === operation && one.actor === actor)
  const byKey = Map.groupBy(mine, ({ key }) => key)
  let sum = 0
  for (const tries of byKey.values()) {
    const done = tries.find(({ outcome }) => outcome === 'ok')
    if (done === undefined && tries.some(({ outcome }) => outcome === 'unknown')) return undefined
    if (done !== undefined) sum += cents((done.input as { value: string }).value)
  }
  return sum
}

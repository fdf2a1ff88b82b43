import { operatorOf, type Operator } from './operator.ts'
import { ask } from './web.ts'
import type { Buyer, Payer } from './world.ts'

/** The books of one product. */
export interface Level {
  readonly sku: string
  readonly onHand: number
  readonly reserved: number
  readonly initial: number
  readonly restocked: number
  readonly sold: number
}

interface Money {
  readonly amount: number
  readonly currency: string
}

/** An order, as its buyer sees it. */
export interface OrderView {
  readonly id: string
  readonly customerId: string
  readonly status: string
  readonly total: Money
  readonly cancelRequestedAt: string | null
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

/** The parcel of an order. */
export interface ShipmentView {
  readonly id: string
  readonly orderId: string
  readonly state: string
}

/** In how many placed orders a product is. */
export interface CountView {
  readonly sku: string
  readonly orders: number
}

/** What the store knows of the payment of an order. */
export interface PaymentView {
  readonly orderId: string
  readonly state: string
  readonly amount: Money | null
  readonly captured: Money | null
  readonly refunded: Money | null
  readonly providerOrderId: string | null
}

/** One change of the store's account at the payment system. */
export interface LedgerEntry {
  readonly id: string
  readonly type: 'CREDIT' | 'DEBIT'
  readonly amount: { readonly currency_code: string; readonly value: string }
  readonly invoice_id?: string
}

interface Sum {
  readonly currency_code: string
  readonly value: string
}

/** The whole ledger, added up. */
export interface TrialBalance {
  readonly currencies: readonly {
    readonly debits: Sum
    readonly credits: Sum
    readonly balances: Readonly<Record<'outside' | 'wallet' | 'hold' | 'merchant', Sum>>
  }[]
  readonly faults: Readonly<Record<string, number>>
}

/** What a payer has. */
export interface WalletView {
  readonly payerId: string
  readonly available: number
  readonly held: number
}

/** An order at the payment system, as its merchant sees it. */
export interface ProviderOrderView {
  readonly id: string
  readonly invoiceId: string | undefined
  readonly authorised: number
  readonly captured: number
  readonly captures: number
  readonly refunded: number
}

const atOnce = 8
const pageSize = 100
const askTimeoutMs = 15_000

/** What the store shows to its operator and its users. */
export function storeView(dataDir: string) {
  const operator = operatorOf(dataDir)
  return {
    levels: (skus: readonly string[]) => inTurns(skus, (sku) => operator.call<Level>('inventory', 'level', { sku })),
    async orders(buyers: readonly Buyer[]): Promise<readonly OrderView[]> {
      const lists = await inTurns(buyers, ({ userId }) =>
        allPages<OrderView>(operator, ['orders', 'list'], pageSize, { as: userId }),
      )
      return lists.flatMap((list, index) =>
        list.map((order) => ({ ...order, customerId: buyers[index]?.userId ?? '' })),
      )
    },
    allOrders: () => allPages<Omit<OrderView, 'lines'>>(operator, ['orders', 'all'], 1_000),
    shipments: () => allPages<ShipmentView>(operator, ['shipping', 'list'], 1_000),
    /** What each order's buyer was told, in the order of the orders. */
    mails: (ids: readonly string[]): Promise<readonly (readonly string[])[]> =>
      inTurns(ids, async (orderId) => {
        const { items } = await operator.call<Mails>('notifications', 'ofOrder', { orderId })
        return items.map(({ kind }) => kind)
      }),
    counts: () => allPages<CountView>(operator, ['recommendations', 'counts'], 1_000),
    payments: () => allPages<PaymentView>(operator, ['payments', 'list'], 1_000),
  }
}

/** What the payment system shows to its operator, to the store as its merchant, and to payers. */
export function paymentsView(dataDir: string, url: string) {
  const operator = operatorOf(dataDir)
  const merchant = merchantAt(url)
  return {
    trialBalance: () => operator.call<TrialBalance>('ledger', 'trialBalance', {}),
    async entries(): Promise<readonly LedgerEntry[]> {
      const found: LedgerEntry[] = []
      let cursor = ''
      do {
        const page = await merchant(`/v1/ledger/entries?limit=${pageSize}${cursor}`)
        found.push(...(page.items as readonly LedgerEntry[]))
        cursor = page.next === null ? '' : `&cursor=${encodeURIComponent(page.next)}`
      } while (cursor !== '')
      return found
    },
    wallets: (payers: readonly Payer[]): Promise<readonly WalletView[]> =>
      inTurns(payers, async ({ payerId }) => {
        const { balances } = await operator.call<Balances>('ledger', 'balances', { payer_id: payerId })
        const [inEuro] = balances.filter(({ available }) => available.currency_code === 'EUR')
        return {
          payerId,
          available: cents(inEuro?.available.value ?? '0'),
          held: cents(inEuro?.held.value ?? '0'),
        }
      }),
    orders: (ids: readonly string[]): Promise<readonly ProviderOrderView[]> =>
      inTurns(ids, async (id) => providerOrder(await merchant(`/v2/checkout/orders/${id}`))),
  }
}

interface Mails {
  readonly items: readonly { readonly kind: string }[]
}

interface Balances {
  readonly balances: readonly { readonly available: Sum; readonly held: Sum }[]
}

/** Euros with a point as whole cents. */
export function cents(value: string): number {
  const [, sign = '', units = '0', hundredths = '00'] = /^(-?)(\d+)(?:\.(\d{2}))?$/.exec(value) ?? []
  return Number(`${sign}${units}${hundredths}`)
}

// oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
type Json = any

function providerOrder(order: Json): ProviderOrderView {
  const [unit] = order.purchase_units
  const sum = (list: readonly Json[] = [], statuses: readonly string[] = []) =>
    list
      .filter(({ status }) => statuses.includes(status))
      .reduce((total: number, { amount }) => total + cents(amount.value), 0)
  const { authorizations = [], captures = [], refunds = [] } = unit.payments ?? {}
  const taken = ['COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED']
  return {
    id: order.id,
    invoiceId: unit.invoice_id,
    authorised: sum(authorizations, ['CREATED', 'PARTIALLY_CAPTURED', 'CAPTURED', 'VOIDED']),
    captured: sum(captures, taken),
    captures: captures.filter(({ status }: Json) => taken.includes(status)).length,
    refunded: sum(refunds, ['COMPLETED']),
  }
}

/** Asks as the client of the store, with a token that is renewed when it is refused. */
function merchantAt(url: string): (path: string) => Promise<Json> {
  let token: string | undefined
  const signIn = async () => {
    const basic = Buffer.from('store:store-development-secret').toString('base64')
    const reply = await ask('POST', `${url}/v1/oauth2/token`, {
      form: { grant_type: 'client_credentials' },
      headers: { authorization: `Basic ${basic}` },
      signal: AbortSignal.timeout(askTimeoutMs),
    })
    if (reply.status !== 200) throw new Error(`no token: ${reply.status}`)
    return reply.body.access_token as string
  }
  return async (path) => {
    for (let attempt = 0; ; attempt += 1) {
      token ??= await signIn()
      const reply = await ask('GET', url + path, { token, signal: AbortSignal.timeout(askTimeoutMs) })
      if (reply.status === 200) return reply.body
      if (reply.status !== 401 || attempt > 0) throw new Error(`GET ${path}: ${reply.status} ${reply.body?.code}`)
      token = undefined
    }
  }
}

interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

async function allPages<T>(
  operator: Operator,
  [contract, operation]: readonly [string, string],
  limit: number,
  options: { readonly as?: string } = {},
): Promise<readonly T[]> {
  const found: T[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const input = { limit, ...(cursor === undefined ? {} : { cursor }) }
    const page: Page<T> = await operator.call<Page<T>>(contract, operation, input, options)
    found.push(...page.items)
    cursor = page.next
  }
  return found
}

/** Asks about each, a few at a time, in their order. */
async function inTurns<T, R>(things: readonly T[], askAbout: (thing: T) => Promise<R>): Promise<readonly R[]> {
  const answers: R[] = []
  for (let index = 0; index < things.length; index += atOnce) {
    answers.push(...(await Promise.all(things.slice(index, index + atOnce).map(askAbout))))
  }
  return answers
}

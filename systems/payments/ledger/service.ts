import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { type Amount, type Money, readAmount, writeAmount } from '../money.ts'
import { balancesOf, held, merchant, outside, wallet } from './accounts.ts'
import { ledger } from './contract.ts'
import { merchantEntries } from './merchant-entries.ts'
import { releaseHold } from './release-hold.ts'
import type { LedgerTables } from './tables.ts'
import { transfer } from './transfer.ts'
import { trialBalance as addUp } from './trial-balance.ts'

const impl = implement(ledger, {
  store: postgres<LedgerTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const entries = impl.handler('entries', async ({ input, caller, store, fail }) => {
  const page = await merchantEntries(store.db, caller.tenant ?? '', input)
  return page ?? fail('cursor_invalid')
})

const trialBalance = impl.handler('trialBalance', async ({ store, now }) => ({
  time: new Date(now()).toISOString(),
  ...(await addUp(store.db)),
}))

const topUp = impl.handler('topUp', async (args) => {
  const { input, fail } = args
  const payment = { payer_id: input.payer_id, merchant_id: null, order_id: null, invoice_id: null }
  const outcome = await transfer(args, {
    reference: `top-up:${input.payer_id}:${input.id}`,
    ...moneyOf(input.amount),
    from: outside,
    to: wallet(input.payer_id),
    payment,
  })
  if (outcome === 'reused') fail('id_reused')
})

const hold = impl.handler('hold', async (args) => {
  const { input, fail } = args
  const outcome = await transfer(args, {
    reference: `hold:${input.id}`,
    ...moneyOf(input.amount),
    from: wallet(input.payer_id),
    to: held(input.id, input.payer_id),
    payment: paymentOf(input),
  })
  if (outcome !== 'moved') fail(outcome === 'reused' ? 'id_reused' : outcome)
})

const release = impl.handler('release', (args) => releaseHold(args, args.input.id))

const capture = impl.handler('capture', async (args) => {
  const { input, fail } = args
  const outcome = await transfer(args, {
    reference: `capture:${input.id}`,
    ...moneyOf(input.amount),
    from: input.hold_id === undefined ? wallet(input.payer_id) : held(input.hold_id, input.payer_id),
    to: merchant(input.merchant_id),
    payment: paymentOf(input),
  })
  if (outcome !== 'moved') fail(outcome === 'reused' ? 'id_reused' : outcome)
  if (input.final && input.hold_id !== undefined) await releaseHold(args, input.hold_id)
})

const refund = impl.handler('refund', async (args) => {
  const { input, fail } = args
  const outcome = await transfer(args, {
    reference: `refund:${input.id}`,
    about: `capture:${input.capture_id}`,
    ...moneyOf(input.amount),
    from: merchant(input.merchant_id),
    to: wallet(input.payer_id),
    payment: paymentOf(input),
  })
  if (outcome !== 'moved') fail(outcome === 'reused' ? 'id_reused' : outcome)
})

const balances = impl.handler('balances', async ({ input, store }) => ({
  balances: (await balancesOf(store.db, input.payer_id)).map((row) => ({
    available: writeAmount(BigInt(row.available), row.currency),
    held: writeAmount(BigInt(row.held), row.currency),
  })),
}))

export default impl.service({ handlers: { entries, trialBalance, topUp, hold, release, capture, refund, balances } })

interface PaymentInput {
  readonly payer_id: string
  readonly merchant_id: string
  readonly order_id: string
  readonly invoice_id?: string | undefined
}

function paymentOf({ payer_id, merchant_id, order_id, invoice_id }: PaymentInput) {
  return { payer_id, merchant_id, order_id, invoice_id: invoice_id ?? null }
}

/** Services have read the amount before. */
function moneyOf(amount: Amount): Money {
  const money = readAmount(amount)
  if (typeof money === 'string') throw new RangeError(`${amount.value} ${amount.currency_code}: ${money}`)
  return money
}

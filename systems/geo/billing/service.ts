import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { currency, monthlyPrice, planNames } from '../plans.ts'
import { billing } from './contract.ts'
import { closeOne, invoicesOf, usageOf } from './invoices.ts'
import { monthOf } from './month.ts'
import { changePlan, settle as settleKeys, settleDue, subscriptionOf } from './subscriptions.ts'
import type { BillingTables } from './tables.ts'
import { uses } from './uses.ts'

const impl = implement(billing, {
  uses,
  store: postgres<BillingTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const includes = {
  free: ['the country of an address', '1,000 look-ups a day', '1 a second'],
  premium: ['every field', 'batches', '100,000 look-ups a day', '100 a second'],
}

const plans = impl.handler('plans', () => ({
  items: planNames.map((plan) => ({
    plan,
    monthly_price: { amount: monthlyPrice[plan], currency },
    includes: includes[plan],
  })),
}))

const subscription = impl.handler('subscription', ({ caller, store }) => subscriptionOf(store.db, caller.id))

const subscribe = impl.handler('subscribe', async (args) => {
  const { input, caller, store, now } = args
  await changePlan(store, caller.id, input.plan, new Date(now()))
  await settleKeys(args, caller.id)
  return await subscriptionOf(store.db, caller.id)
})

const usage = impl.handler('usage', async ({ input, caller, call, now }) => {
  const month = input.month ?? monthOf(now())
  return { month, ...(await usageOf(call, caller.id, month)) }
})

const invoices = impl.handler('invoices', async ({ caller, store }) => ({
  items: await invoicesOf(store.db, caller.id),
}))

const settle = impl.handler('settle', (args) => settleKeys(args, args.input.account_id))

export default impl.service({
  handlers: { plans, subscription, subscribe, usage, invoices, settle },
  jobs: [
    impl.every('5 seconds', 'settle-keys', settleDue),
    impl.every('10 minutes', 'close-months', async (args) => {
      return (await closeOne(args)) ? 'again' : undefined
    }),
  ],
})

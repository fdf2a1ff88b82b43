import { anyone, command, contract, get, put, scopes } from 'trestle/contract'
import { z } from 'zod'
import { planNames } from '../plans.ts'

const PlanName = z.enum(planNames)
const Month = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/)
const Money = z.object({ amount: z.int().describe('In minor units'), currency: z.string() }).meta({ id: 'Money' })

export const Subscription = z
  .object({ plan: PlanName, since: z.iso.datetime().nullable().describe('Null: since the account was opened') })
  .meta({ id: 'Subscription' })

const Usage = z
  .object({ month: Month, requests: z.int(), units: z.int().describe('Look-ups; a batch counts as many') })
  .meta({ id: 'MonthlyUsage' })

export const Invoice = z
  .object({
    id: z.uuid(),
    month: Month,
    lines: z.array(
      z.object({ plan: PlanName, days: z.int().describe('Days of the month on which it was the plan'), price: Money }),
    ),
    total: Money,
    requests: z.int(),
    units: z.int(),
    closed_at: z.iso.datetime(),
  })
  .meta({ id: 'Invoice' })

const access = scopes('account')

export const billing = contract('billing', {
  version: '1.0.0',
  owner: 'finance',
  summary: 'What accounts are subscribed to, what they used and what they owe.',
  operations: {
    plans: get('/plans', {
      summary: 'What can be subscribed to',
      output: z.object({
        items: z.array(z.object({ plan: PlanName, monthly_price: Money, includes: z.array(z.string()) })),
      }),
      access: anyone(),
    }),
    subscription: get('/subscription', { summary: "The account's plan", output: Subscription, access }),
    subscribe: put('/subscription', {
      summary: 'Change the plan',
      description:
        'Holds for all keys of the account within a second. Every day on which a plan was subscribed to is paid for; no payment is taken here, the invoice of the month says what is owed.',
      input: z.object({ plan: PlanName }),
      output: Subscription,
      access,
    }),
    usage: get('/usage', {
      summary: 'What all keys of the account used in a month',
      description: 'About a minute behind.',
      input: z.object({ month: Month.optional().describe('Default: this one, UTC') }),
      output: Usage,
      access,
    }),
    invoices: get('/invoices', {
      summary: 'Closed months, newest first',
      description: 'A month is closed an hour after its end (UTC). A month that was free has no invoice.',
      output: z.object({ items: z.array(Invoice) }),
      access,
    }),

    settle: command({
      summary: 'Put all keys of an account on its plan',
      input: z.object({ account_id: z.uuid() }),
      idempotent: 'natural',
    }),
  },
})

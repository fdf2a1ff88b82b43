import { command, contract, get, page, pageInput, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Amount, Sum } from '../money.ts'

const Time = z.iso.datetime()
const PayerId = z.uuid()
const MerchantId = z.string().min(1).max(64)

/** Which payment a transaction belongs to. */
const Payment = z.object({
  payer_id: PayerId,
  merchant_id: MerchantId,
  order_id: z.uuid(),
  invoice_id: z.string().max(127).optional(),
})

const insufficientFunds = problem(
  409,
  'There is less in the account; nothing was moved, and never will be under this id',
)
const idReused = problem(409, 'Something else was asked under this id')

export const LedgerEntry = z
  .object({
    id: z.string().describe('Of the transaction: `capture:` or `refund:`, and the id of that payment'),
    type: z.enum(['CREDIT', 'DEBIT']).describe('CREDIT: the merchant has more'),
    amount: Amount,
    balance: Sum.describe("What the merchant's account in this currency held then"),
    order_id: z.uuid().optional(),
    invoice_id: z.string().optional(),
    time: Time,
  })
  .meta({ id: 'LedgerEntry', description: "One change of a merchant's account." })

export const TrialBalance = z
  .object({
    time: Time,
    currencies: z.array(
      z.object({
        debits: Sum,
        credits: Sum,
        transactions: z.int(),
        balances: z
          .object({ outside: Sum, wallet: Sum, hold: Sum, merchant: Sum })
          .describe('What all accounts of a kind hold together; the four make nothing'),
      }),
    ),
    faults: z.object({
      unbalanced_transactions: z.int(),
      broken_accounts: z.int().describe('Whose last balance is not the sum of its entries'),
      overdrawn_accounts: z.int(),
      overdrawn_captures: z.int().describe('Of which more was refunded than was captured'),
    }),
  })
  .meta({ id: 'TrialBalance', description: 'The whole ledger, added up at one moment.' })

export const ledger = contract('ledger', {
  version: '1.0.0',
  owner: 'accounting',
  summary: 'Where all money is, and how it came there.',
  description:
    'Double entry, in minor units, per currency. Nothing is ever changed or deleted. Each transaction has an id of its asker’s; asked again under it, the ledger moves nothing and answers as it did.',
  operations: {
    entries: get('/v1/ledger/entries', {
      summary: "Changes of the merchant's accounts, by currency, oldest first",
      input: z.object({
        order_id: z.uuid().optional(),
        invoice_id: z.string().max(127).optional(),
        ...pageInput(),
      }),
      output: page(LedgerEntry),
      errors: { cursor_invalid: problem(400, 'The cursor is not one that this list gave out') },
      access: scopes('payments'),
    }),
    trialBalance: get('/v1/ledger/trial-balance', {
      summary: 'Debits and credits of the whole ledger',
      description: 'Adds up every entry: for auditors, not for every day.',
      output: TrialBalance,
      access: scopes('audit'),
    }),

    topUp: command({
      summary: 'Bring money in from outside into a wallet',
      input: z.object({ id: z.string().min(1).max(200), payer_id: PayerId, amount: Amount }),
      errors: { id_reused: idReused },
      idempotent: 'natural',
    }),
    hold: command({
      summary: "Put money of a payer's aside",
      description: 'The id is that of the authorization.',
      input: Payment.extend({ id: z.uuid(), amount: Amount }),
      errors: { insufficient_funds: insufficientFunds, id_reused: idReused },
      idempotent: 'natural',
    }),
    release: command({
      summary: 'Give back what is left of a hold',
      description: 'Nothing, when there is nothing left or never was anything.',
      input: z.object({ id: z.uuid() }),
      idempotent: 'natural',
    }),
    capture: command({
      summary: 'Move money to the merchant, out of a hold or else out of the wallet',
      description: 'The id is that of the capture. What is left of the hold is given back with the final one.',
      input: Payment.extend({
        id: z.uuid(),
        amount: Amount,
        hold_id: z.uuid().optional(),
        final: z.boolean().default(true),
      }),
      errors: { insufficient_funds: insufficientFunds, id_reused: idReused },
      idempotent: 'natural',
    }),
    refund: command({
      summary: 'Move money of a capture back to the payer',
      description: 'The id is that of the refund. All refunds of a capture are never more than it.',
      input: Payment.extend({ id: z.uuid(), capture_id: z.uuid(), amount: Amount }),
      errors: { insufficient_funds: insufficientFunds, id_reused: idReused },
      idempotent: 'natural',
    }),
    balances: query({
      summary: 'What a payer has',
      input: z.object({ payer_id: PayerId }),
      output: z.object({ balances: z.array(z.object({ available: Sum, held: Sum })) }),
    }),
  },
})

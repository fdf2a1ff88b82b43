import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { decodeCursor, encodeCursor } from 'trestle/contract'
import { z } from 'zod'
import { writeAmount } from '../money.ts'
import type { LedgerTables } from './tables.ts'

/** Which entries of a merchant are asked for. */
export interface EntriesAsked {
  readonly order_id?: string | undefined
  readonly invoice_id?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** A page of a merchant's entries; `undefined` when the cursor is not of this list. */
export async function merchantEntries(db: Kysely<LedgerTables>, merchantId: string, asked: EntriesAsked) {
  const list = listOf(merchantId, asked)
  const place = z.tuple([z.literal(list), z.string(), z.int()])
  const after = asked.cursor === undefined ? null : decodeCursor(asked.cursor, place)
  if (after === undefined) return undefined
  let rows = db
    .selectFrom('entries')
    .innerJoin('accounts', 'accounts.id', 'entries.account_id')
    .innerJoin('transactions', 'transactions.reference', 'entries.reference')
    .select(['entries.reference', 'entries.currency', 'entries.number', 'entries.amount', 'entries.balance'])
    .select(['transactions.order_id', 'transactions.invoice_id', 'transactions.at'])
    .where('accounts.kind', '=', 'merchant')
    .where('accounts.owner', '=', merchantId)
  if (asked.order_id !== undefined) rows = rows.where('transactions.order_id', '=', asked.order_id)
  if (asked.invoice_id !== undefined) {
    rows = rows
      .where('transactions.merchant_id', '=', merchantId)
      .where('transactions.invoice_id', '=', asked.invoice_id)
  }
  if (after !== null) {
    rows = rows.where((where) =>
      where(where.refTuple('entries.currency', 'entries.number'), '>', where.tuple(after[1], after[2])),
    )
  }
  const found = await rows
    .orderBy('entries.currency')
    .orderBy('entries.number')
    .limit(asked.limit + 1)
    .execute()
  const items = found.slice(0, asked.limit)
  const last = items.at(-1)
  const next =
    found.length > asked.limit && last !== undefined ? encodeCursor([list, last.currency, last.number]) : null
  return { items: items.map(entryOf), next }
}

interface FoundEntry {
  readonly reference: string
  readonly currency: string
  readonly amount: string
  readonly balance: string
  readonly order_id: string | null
  readonly invoice_id: string | null
  readonly at: Date
}

function entryOf({ reference, currency, amount, balance, order_id, invoice_id, at }: FoundEntry) {
  const minor = BigInt(amount)
  return {
    id: reference,
    type: minor < 0n ? ('DEBIT' as const) : ('CREDIT' as const),
    amount: writeAmount(minor < 0n ? -minor : minor, currency),
    balance: writeAmount(BigInt(balance), currency),
    ...(order_id === null ? {} : { order_id }),
    ...(invoice_id === null ? {} : { invoice_id }),
    time: at.toISOString(),
  }
}

/** Stands for a list in its cursors. */
function listOf(merchantId: string, { order_id, invoice_id }: EntriesAsked): string {
  const list = JSON.stringify([merchantId, order_id, invoice_id])
  return createHash('sha256').update(list).digest('base64url').slice(0, 10)
}

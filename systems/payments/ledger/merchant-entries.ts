import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { decodeCursor, encodeCursor } from 'trestle/contract'
import { z } from 'zod'
import { writeAmount } from '../money.ts'
import type { LedgerTables } from './tables.ts'

type Db = Kysely<LedgerTables>

/** Which entries of a merchant are asked for. */
export interface EntriesAsked {
  readonly order_id?: string | undefined
  readonly invoice_id?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Currency and number of the entry before the page. */
type Place = readonly [currency: string, number: number]
type Asked = EntriesAsked & { readonly after: Place | undefined }

/** A page of a merchant's entries; `undefined` when the cursor is not of this list. */
export async function merchantEntries(db: Db, merchantId: string, asked: EntriesAsked) {
  const list = listOf(merchantId, asked)
  const place = z.tuple([z.literal(list), z.string(), z.int32()])
  const cursor = asked.cursor === undefined ? null : decodeCursor(asked.cursor, place)
  if (cursor === undefined) return undefined
  const after = cursor === null ? undefined : ([cursor[1], cursor[2]] as const)
  const isAll = asked.order_id === undefined && asked.invoice_id === undefined
  const found = await (isAll ? allEntries : entriesAbout)(db, merchantId, { ...asked, after })
  const items = found.slice(0, asked.limit)
  const last = items.at(-1)
  const next =
    found.length > asked.limit && last !== undefined ? encodeCursor([list, last.currency, last.number]) : null
  return { items: items.map(entryOf), next }
}

/** Each account is read in its order from where the page begins, and no further than the page may go. */
async function allEntries(db: Db, merchantId: string, { limit, after: [currency, number] = ['', 0] }: Asked) {
  const { rows } = await sql<FoundEntry>`
    select page.*, t.order_id, t.invoice_id, t.at
    from accounts a
    cross join lateral (
      select reference, currency, number, amount, balance from entries e
      where e.account_id = a.id and e.number > case when a.currency = ${currency} then ${number}::integer else 0 end
      order by e.number limit ${limit + 1}
    ) as page
    join transactions t on t.reference = page.reference
    where a.kind = 'merchant' and a.owner = ${merchantId} and a.currency >= ${currency}
    order by page.currency, page.number limit ${limit + 1}`.execute(db)
  return rows
}

/** Those of an order or an invoice are few: they are found first. */
async function entriesAbout(db: Db, merchantId: string, asked: Asked) {
  const { order_id, invoice_id, limit, after: [currency, number] = ['', 0] } = asked
  const ofOrder = order_id === undefined ? [] : [sql`t.order_id = ${order_id}`]
  const ofInvoice =
    invoice_id === undefined ? [] : [sql`t.merchant_id = ${merchantId} and t.invoice_id = ${invoice_id}`]
  const { rows } = await sql<FoundEntry>`
    select entry.*, t.order_id, t.invoice_id, t.at
    from transactions t
    cross join lateral (
      select e.reference, e.currency, e.number, e.amount, e.balance
      from entries e join accounts a on a.id = e.account_id
      where e.reference = t.reference and a.kind = 'merchant' and a.owner = ${merchantId} limit 1
    ) as entry
    where ${sql.join([...ofOrder, ...ofInvoice], sql` and `)}
      and (entry.currency, entry.number) > (${currency}, ${number}::integer)
    order by entry.currency, entry.number limit ${limit + 1}`.execute(db)
  return rows
}

interface FoundEntry {
  readonly reference: string
  readonly currency: string
  readonly number: number
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

import type { Kysely } from 'kysely'
import type { JobArgs } from 'trestle/service'
import { currency } from '../plans.ts'
import { boundsOf, linesOf, monthAfter, monthOf } from './month.ts'
import type { BillingTables, InvoiceLineRow, InvoiceRow, PeriodRow } from './tables.ts'
import type { uses } from './uses.ts'

type BillingWork = JobArgs<typeof uses, BillingTables>
type Db = Kysely<BillingTables>

/** How long after its end a month is closed: gateways count some minutes late. */
const closingDelayMs = 60 * 60_000
/** Months that are looked back for what was not closed, because nothing ran then. */
const monthsBack = 12
/** Accounts of one month that are looked at in one run. */
const perRunMax = 1_000

/**
 * Writes one invoice of the months that are over: each account that had a paid plan in a month gets one. `false`: there
 * is none left to write.
 */
export async function closeOne(args: BillingWork): Promise<boolean> {
  const last = monthAfter(monthOf(args.now() - closingDelayMs), -1)
  for (let back = monthsBack; back >= 0; back--) {
    const month = monthAfter(last, -back)
    for (const account of await withoutInvoice(args.store.db, month)) {
      const lines = linesOf(month, await periodsOf(args.store.db, account))
      if (lines.length > 0) return await closeAccount(args, account, month, lines)
    }
  }
  return false
}

async function withoutInvoice(db: Db, month: string): Promise<readonly string[]> {
  const { startMs, endMs } = boundsOf(month)
  const due = await db
    .selectFrom('periods')
    .select('account_id')
    .distinct()
    .where('starts_at', '<', new Date(endMs))
    .where((where) =>
      where.or([
        where('ends_at', 'is', null),
        where.and([where('ends_at', '>', new Date(startMs)), where('ends_at', '>', where.ref('starts_at'))]),
      ]),
    )
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('invoices')
            .select('invoices.id')
            .whereRef('invoices.account_id', '=', 'periods.account_id')
            .where('invoices.month', '=', month),
        ),
      ),
    )
    .limit(perRunMax)
    .execute()
  return due.map((period) => period.account_id)
}

async function periodsOf(db: Db, accountId: string) {
  const periods = await db.selectFrom('periods').selectAll().where('account_id', '=', accountId).execute()
  return periods.map(periodOf)
}

async function closeAccount(
  args: BillingWork,
  accountId: string,
  month: string,
  lines: ReturnType<typeof linesOf>,
): Promise<boolean> {
  const { store, newId, now } = args
  const used = await usageOf(args.call, accountId, month)
  const id = newId()
  return await store.transaction(async ({ db }) => {
    const total_amount = lines.reduce((sum, { amount }) => sum + amount, 0)
    const made = await db
      .insertInto('invoices')
      .values({ id, account_id: accountId, month, total_amount, currency, ...used, closed_at: new Date(now()) })
      .onConflict((conflict) => conflict.columns(['account_id', 'month']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (made === undefined) return false
    const rows = lines.map(({ plan, days, amount }) => ({ invoice_id: id, plan, days, price_amount: amount }))
    await db.insertInto('invoice_lines').values(rows).execute()
    return true
  })
}

/** What all keys of an account used in a month. */
export async function usageOf(call: BillingWork['call'], accountId: string, month: string) {
  const { startMs, endMs } = boundsOf(month)
  const rows = await call.access.usage({
    owner: accountId,
    from: new Date(startMs).toISOString(),
    to: new Date(endMs).toISOString(),
    by: 'total',
    groups: [],
  })
  return {
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    units: rows.reduce((sum, row) => sum + row.units, 0),
  }
}

/** Closed months of an account, newest first. */
export async function invoicesOf(db: Db, accountId: string) {
  const invoices = await db
    .selectFrom('invoices')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('month', 'desc')
    .limit(120)
    .execute()
  const ids = invoices.map(({ id }) => id)
  const lines = ids.length === 0 ? [] : await linesFor(db, ids)
  return invoices.map((invoice) => invoiceView(invoice, lines))
}

function linesFor(db: Db, ids: readonly string[]): Promise<InvoiceLineRow[]> {
  return db.selectFrom('invoice_lines').selectAll().where('invoice_id', 'in', ids).orderBy('plan').execute()
}

function invoiceView(row: InvoiceRow, lines: readonly InvoiceLineRow[]) {
  const money = (amount: string | number) => ({ amount: Number(amount), currency: row.currency })
  return {
    id: row.id,
    month: row.month,
    lines: lines
      .filter(({ invoice_id }) => invoice_id === row.id)
      .map(({ plan, days, price_amount }) => ({ plan, days, price: money(price_amount) })),
    total: money(row.total_amount),
    requests: Number(row.requests),
    units: Number(row.units),
    closed_at: row.closed_at.toISOString(),
  }
}

function periodOf({ plan, starts_at, ends_at }: PeriodRow) {
  return { plan, startMs: starts_at.getTime(), endMs: ends_at?.getTime() }
}

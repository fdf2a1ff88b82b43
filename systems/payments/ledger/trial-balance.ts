import { type Kysely, sql } from 'kysely'
import { writeAmount } from '../money.ts'
import type { LedgerTables } from './tables.ts'

interface CurrencyRow {
  readonly currency: string
  readonly debits: string
  readonly credits: string
  readonly transactions: number
  readonly outside: string
  readonly wallet: string
  readonly hold: string
  readonly merchant: string
}

interface FaultRow {
  readonly unbalanced_transactions: number
  readonly broken_accounts: number
  readonly overdrawn_accounts: number
  readonly overdrawn_captures: number
}

interface Totals {
  readonly currencies: readonly CurrencyRow[] | null
  readonly faults: FaultRow
}

/** Adds up every entry. One statement: it sees the ledger as it is at one moment. */
export async function trialBalance(db: Kysely<LedgerTables>) {
  const { rows } = await sql<Totals>`
    with per_currency as (
      select e.currency,
        coalesce(-sum(e.amount) filter (where e.amount < 0), 0)::text as debits,
        coalesce(sum(e.amount) filter (where e.amount > 0), 0)::text as credits,
        count(distinct e.reference)::integer as transactions,
        coalesce(sum(e.amount) filter (where a.kind = 'outside'), 0)::text as outside,
        coalesce(sum(e.amount) filter (where a.kind = 'wallet'), 0)::text as wallet,
        coalesce(sum(e.amount) filter (where a.kind = 'hold'), 0)::text as hold,
        coalesce(sum(e.amount) filter (where a.kind = 'merchant'), 0)::text as merchant
      from entries e join accounts a on a.id = e.account_id
      group by e.currency order by e.currency
    ), per_transaction as (
      select reference from entries group by reference, currency having sum(amount) <> 0 or count(*) <> 2
    ), per_account as (
      select a.kind, sum(e.amount) as total, (array_agg(e.balance order by e.number desc))[1] as last
      from entries e join accounts a on a.id = e.account_id group by a.id, a.kind
    ), per_capture as (
      select c.reference from transactions c join transactions r on r.about = c.reference and r.refused is null
      group by c.reference, c.amount having sum(r.amount) > c.amount
    )
    select
      (select json_agg(c) from per_currency c) as currencies,
      json_build_object(
        'unbalanced_transactions', (select count(*) from per_transaction),
        'broken_accounts', (select count(*) from per_account where total <> last),
        'overdrawn_accounts', (select count(*) from per_account where last < 0 and kind <> 'outside'),
        'overdrawn_captures', (select count(*) from per_capture)
      ) as faults`.execute(db)
  const totals = rows[0] as Totals
  return { currencies: (totals.currencies ?? []).map(currencyOf), faults: totals.faults }
}

function currencyOf(row: CurrencyRow) {
  const sum = (minor: string) => writeAmount(BigInt(minor), row.currency)
  return {
    debits: sum(row.debits),
    credits: sum(row.credits),
    transactions: row.transactions,
    balances: {
      outside: sum(row.outside),
      wallet: sum(row.wallet),
      hold: sum(row.hold),
      merchant: sum(row.merchant),
    },
  }
}

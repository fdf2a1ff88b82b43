import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Currency } from '../money.ts'
import type { AccountRow, EntryRow, LedgerTables } from './tables.ts'

type Db = Kysely<LedgerTables>

/** An account by what it is; it is made when it is first needed. */
export type AccountName = Pick<AccountRow, 'kind' | 'owner' | 'payer_id'>

/** An account whose lock is held, and how far its entries go. */
export interface LockedAccount {
  readonly id: string
  readonly number: number
  readonly balance: bigint
}

export const outside: AccountName = { kind: 'outside', owner: 'outside', payer_id: null }

export function wallet(payerId: string): AccountName {
  return { kind: 'wallet', owner: payerId, payer_id: null }
}

export function held(id: string, payerId: string): AccountName {
  return { kind: 'hold', owner: id, payer_id: payerId }
}

export function merchant(id: string): AccountName {
  return { kind: 'merchant', owner: id, payer_id: null }
}

/**
 * Locks the accounts between which a transaction moves, in one order for all: no two can wait for each other. Its
 * caller is inside a transaction.
 */
export async function lockAccounts(
  db: Db,
  [from, to]: readonly [AccountName, AccountName],
  currency: Currency,
  newId: () => string,
): Promise<readonly [LockedAccount, LockedAccount]> {
  const names = [from, to].toSorted(byName)
  const isOneOf = sql<boolean>`(kind, owner) in (${sql.join(names.map((name) => sql`(${name.kind}, ${name.owner})`))})`
  const [, , rows] = await Promise.all([
    db
      .insertInto('accounts')
      .values(names.map((name) => ({ ...name, id: newId(), currency })))
      .onConflict((conflict) => conflict.columns(['kind', 'owner', 'currency']).doNothing())
      .execute(),
    db
      .selectFrom('accounts')
      .select('id')
      .where('currency', '=', currency)
      .where(isOneOf)
      .orderBy('id')
      .forUpdate()
      .execute(),
    // A statement of its own: one that waited for the lock would still see what was before.
    lastEntries(db, isOneOf, currency),
  ])
  const locked = ({ kind, owner }: AccountName): LockedAccount => {
    const row = rows.find((each) => each.kind === kind && each.owner === owner)
    return { id: row?.id ?? '', number: row?.number ?? 0, balance: BigInt(row?.balance ?? 0) }
  }
  return [locked(from), locked(to)]
}

function byName(a: AccountName, b: AccountName): number {
  return `${a.kind} ${a.owner}` < `${b.kind} ${b.owner}` ? -1 : 1
}

async function lastEntries(db: Db, isOneOf: RawBuilder<boolean>, currency: Currency) {
  const { rows } = await sql<Pick<AccountRow, 'id' | 'kind' | 'owner'> & Partial<EntryRow>>`
    select a.id, a.kind, a.owner, e.number, e.balance
    from accounts a
    left join lateral (select * from entries where account_id = a.id order by number desc limit 1) as e on true
    where a.currency = ${currency} and ${isOneOf}`.execute(db)
  return rows
}

/** What a payer has in each currency: to spend, and held for merchants. */
export async function balancesOf(db: Db, payerId: string) {
  const { rows } = await sql<{ currency: string; available: string; held: string }>`
    with own as (
      select id, kind, currency from accounts where kind = 'wallet' and owner = ${payerId}
      union all
      select account_id, 'hold', currency from open_holds where payer_id = ${payerId}
    )
    select own.currency,
      coalesce(sum(last.balance) filter (where own.kind = 'wallet'), 0)::text as available,
      coalesce(sum(last.balance) filter (where own.kind = 'hold'), 0)::text as held
    from own
    cross join lateral (
      select balance from entries e where e.account_id = own.id order by number desc limit 1
    ) as last
    group by own.currency order by own.currency`.execute(db)
  return rows
}

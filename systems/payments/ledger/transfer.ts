import type { Kysely } from 'kysely'
import type { Store } from 'trestle/store'
import type { Currency } from '../money.ts'
import { type AccountName, type LockedAccount, lockAccounts } from './accounts.ts'
import type { LedgerTables, TransactionRow } from './tables.ts'

type Db = Kysely<LedgerTables>

/** Money that goes from one account to another, once for its reference. */
export interface Transfer {
  readonly reference: string
  /** `all`: whatever is in the account then; nothing happens when there is nothing. */
  readonly minor: bigint | 'all'
  readonly currency: Currency
  readonly from: AccountName
  readonly to: AccountName
  readonly about?: string
  readonly payment: Pick<TransactionRow, 'payer_id' | 'merchant_id' | 'order_id' | 'invoice_id'>
}

/** `reused`: the reference is that of a transfer of something else. */
export type Outcome = 'moved' | 'insufficient_funds' | 'reused'

export interface TransferDeps {
  readonly store: Store<LedgerTables>
  readonly newId: () => string
  readonly now: () => number
}

/** Moves money, or notes for good that there was too little. */
export async function transfer({ store, newId, now }: TransferDeps, wanted: Transfer): Promise<Outcome> {
  const known = await outcomeOf(store.db, wanted)
  if (known !== undefined) return known
  return await store.transaction(
    async ({ db }) => {
      const [[from, to], meanwhile] = await Promise.all([
        lockAccounts(db, [wanted.from, wanted.to], wanted.currency, newId),
        outcomeOf(db, wanted),
      ])
      if (meanwhile !== undefined) return meanwhile
      const minor = wanted.minor === 'all' ? from.balance : wanted.minor
      if (minor === 0n) return 'moved'
      const refused = from.balance < minor && wanted.from.kind !== 'outside' ? 'insufficient_funds' : null
      const move = { ...wanted, minor, at: new Date(now()), refused } as const
      if (refused === null) await Promise.all([note(db, move), enter(db, move, from, to)])
      else await note(db, move)
      return refused ?? 'moved'
    },
    { retries: 3 },
  )
}

async function outcomeOf(db: Db, wanted: Transfer): Promise<Outcome | undefined> {
  const known = await db
    .selectFrom('transactions')
    .select(['amount', 'currency', 'refused', 'payer_id', 'merchant_id'])
    .where('reference', '=', wanted.reference)
    .executeTakeFirst()
  if (known === undefined) return undefined
  const isSame =
    (wanted.minor === 'all' || BigInt(known.amount) === wanted.minor) &&
    known.currency === wanted.currency &&
    known.payer_id === wanted.payment.payer_id &&
    known.merchant_id === wanted.payment.merchant_id
  return isSame ? (known.refused ?? 'moved') : 'reused'
}

type Move = Transfer & Pick<TransactionRow, 'at' | 'refused'> & { readonly minor: bigint }

async function note(db: Db, { reference, about, minor, currency, payment, at, refused }: Move): Promise<void> {
  await db
    .insertInto('transactions')
    .values({ reference, about: about ?? null, amount: String(minor), currency, refused, ...payment, at })
    .execute()
}

async function enter(db: Db, move: Move, from: LockedAccount, to: LockedAccount): Promise<void> {
  const { reference, currency, minor } = move
  const entry = (account: LockedAccount, change: bigint) => ({
    account_id: account.id,
    currency,
    number: account.number + 1,
    reference,
    amount: String(change),
    balance: String(account.balance + change),
  })
  await Promise.all([
    db
      .insertInto('entries')
      .values([entry(from, -minor), entry(to, minor)])
      .execute(),
    ...noteHolds(db, move, from, to),
  ])
}

/** A hold is filled once, and taken from until it is empty. */
function* noteHolds(db: Db, move: Move, from: LockedAccount, to: LockedAccount) {
  if (move.to.payer_id !== null) {
    yield db
      .insertInto('open_holds')
      .values({ payer_id: move.to.payer_id, account_id: to.id, currency: move.currency })
      .execute()
  }
  if (move.from.payer_id !== null && from.balance === move.minor) {
    yield db
      .deleteFrom('open_holds')
      .where('payer_id', '=', move.from.payer_id)
      .where('account_id', '=', from.id)
      .execute()
  }
}

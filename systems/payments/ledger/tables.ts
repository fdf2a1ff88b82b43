/** The tables of the ledger service; see migrations/. Amounts are bigints: the driver reads them as text. */
export interface LedgerTables {
  accounts: AccountRow
  transactions: TransactionRow
  entries: EntryRow
  open_holds: { payer_id: string; account_id: string; currency: string }
}

export type AccountKind = 'outside' | 'wallet' | 'hold' | 'merchant'

export interface AccountRow {
  id: string
  kind: AccountKind
  owner: string
  currency: string
  payer_id: string | null
}

export interface TransactionRow {
  reference: string
  about: string | null
  amount: string
  currency: string
  refused: 'insufficient_funds' | null
  payer_id: string
  merchant_id: string | null
  order_id: string | null
  invoice_id: string | null
  at: Date
}

export interface EntryRow {
  account_id: string
  currency: string
  number: number
  reference: string
  amount: string
  balance: string
}

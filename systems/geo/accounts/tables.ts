/** The tables of the accounts service; see migrations/. */
export interface AccountsTables {
  accounts: AccountRow
  applications: ApplicationRow
  sessions: { token_hash: Buffer; account_id: string; expires_at: Date }
}

export interface AccountRow {
  id: string
  email: string
  password_hash: string
  created_at: Date
}

export interface ApplicationRow {
  id: string
  account_id: string
  name: string
  key_id: string | null
  key_prefix: string | null
  created_at: Date
}

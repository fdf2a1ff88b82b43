/** The tables of the wallets service; see migrations/. */
export interface WalletsTables {
  payers: PayerRow
  sessions: { token_hash: Buffer; payer_id: string; expires_at: Date }
  guesses: { guesser: Buffer; wrong: number; last_at: Date; familiar_until: Date | null }
}

export interface PayerRow {
  id: string
  email: string
  password_hash: string
  name: string
  created_at: Date
}

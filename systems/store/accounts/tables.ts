/** The tables of the accounts service; see migrations/. */
export interface AccountsTables {
  users: UserRow
  sessions: SessionRow
  login_attempts: LoginAttemptsRow
}

export interface UserRow {
  id: string
  email: string
  name: string
  password_hash: string
  scopes: string[]
  created_at: Date
}

export interface SessionRow {
  token_hash: Buffer
  user_id: string
  created_at: Date
  expires_at: Date
}

export interface LoginAttemptsRow {
  bucket: Buffer
  attempts: number
  window_started_at: Date
}

import type { Generated, Selectable } from 'kysely'
import type { ClientScope } from '../scopes.ts'

/** The tables of the identity service; see migrations/. */
export interface IdentityTables {
  clients: ClientsTable
  merchants: { merchant_id: string; active: boolean }
  tokens: TokenRow
}

interface ClientsTable {
  client_id: string
  merchant_id: string
  name: string
  scopes: ClientScope[]
  token_seconds: number
  secret_hash: Buffer
  previous_secret_hash: Generated<Buffer | null>
  previous_until: Generated<Date | null>
  created_at: Date
}

interface TokenRow {
  token_hash: Buffer
  client_id: string
  scopes: ClientScope[]
  expires_at: Date
}

export type ClientRow = Selectable<ClientsTable>

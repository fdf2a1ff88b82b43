import type { ColumnType } from 'kysely'

/** Written as text, read as a value. */
type Json<T> = ColumnType<T, string, string>
/** A bigint: the driver reads it as text. */
type BigNumber = ColumnType<string, number | string, number | string>

/** The tables of the access service; see migrations/. */
export interface AccessTables {
  plans: PlansTable
  api_keys: ApiKeysTable
  api_key_secrets: ApiKeySecretRow
  change_counter: { only_row: true; sequence: BigNumber }
  changes: { sequence: BigNumber; key_id: string | null; at: Date }
  quotas: { subject: string; period: string; spent: BigNumber; granted: BigNumber; changed_at: Date }
  usage_instances: { instance: string; sequence: BigNumber; changed_at: Date }
  usage: UsageTable
  rates: { key: string; tat_ms: number; now_ms: number; allowed: boolean }
}

export interface PlansTable {
  name: string
  title: string | null
  routes: Json<string[]>
  quotas: Json<{ per: 'day' | 'month'; allow: number; of: 'owner' | 'key' }[]>
  limits: Json<{ allow: number; windowMs: number; burst?: number }[]>
  declared: boolean
}

export interface ApiKeysTable {
  id: string
  name: string
  owner: string
  environment: string
  prefix: string
  plan: string | null
  scopes: Json<string[]>
  enabled: boolean
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  revoked_at: Date | null
}

export interface ApiKeySecretRow {
  hash: Buffer
  key_id: string
  created_at: Date
  expires_at: Date | null
}

export interface UsageTable {
  width: 'minute' | 'hour' | 'day'
  at: Date
  key_id: string
  route: string
  status_class: string
  requests: BigNumber
  units: BigNumber
}

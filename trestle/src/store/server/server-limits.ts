import type { PgConnection } from '../connection/pg-connection.ts'
import { StoreError } from '../store-error.ts'

const oldestVersion = 15

/** What a server accepts: connections in all, and those it keeps for others than us. */
export interface ServerLimits {
  readonly connectionsMax: number
  readonly reserved: number
}

/** @throws StoreError `store_config_invalid` when the server is too old */
export async function readServerLimits(connection: PgConnection): Promise<ServerLimits> {
  if (connection.serverVersion < oldestVersion) {
    throw new StoreError(
      'store_config_invalid',
      `Trestle needs PostgreSQL ${oldestVersion} or newer; this server is ${connection.serverVersion}`,
    )
  }
  const { rows } = await connection.command(
    `select name, setting::integer as value from pg_settings
     where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')`,
  )
  const values = new Map(rows.map((row) => [row['name'], Number(row['value'])]))
  return {
    connectionsMax: values.get('max_connections') ?? 0,
    reserved: (values.get('superuser_reserved_connections') ?? 0) + (values.get('reserved_connections') ?? 0),
  }
}

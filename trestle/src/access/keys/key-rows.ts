import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { AccessDb } from '../implementation.ts'
import type { ApiKeysTable } from '../tables.ts'

/** A key as an operator sees it. */
export function keyOf(row: Selectable<ApiKeysTable>) {
  const { id, name, owner, environment, prefix, plan, scopes, enabled } = row
  return {
    id,
    name,
    owner,
    environment,
    prefix,
    plan,
    scopes,
    enabled,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }
}

/** What is kept of a secret. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Whether there is such a plan; it cannot go before the transaction at hand is over. */
export async function holdPlan(db: AccessDb, name: string): Promise<boolean> {
  const row = await db.selectFrom('plans').select('name').where('name', '=', name).forKeyShare().executeTakeFirst()
  return row !== undefined
}

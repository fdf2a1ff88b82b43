import type { Updateable } from 'kysely'
import { keyPrefix } from '../../gateway/access/key-format.ts'
import { noteChange } from '../changes.ts'
import { impl } from '../implementation.ts'
import type { ApiKeysTable } from '../tables.ts'
import { hashOf, holdPlan, keyOf } from './key-rows.ts'
import { newSecret } from './new-secret.ts'

export const updateKey = impl.handler('updateKey', async ({ input, store, fail, now }) => {
  const { id, name, plan, scopes, enabled, expiresAt } = input
  const changes: Updateable<ApiKeysTable> = {
    ...(name === undefined ? {} : { name }),
    ...(plan === undefined ? {} : { plan }),
    ...(scopes === undefined ? {} : { scopes: JSON.stringify(scopes) }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt === null ? null : new Date(expiresAt) }),
  }
  const result = await store.transaction(async ({ db }) => {
    if (typeof plan === 'string' && !(await holdPlan(db, plan))) return 'plan_not_found'
    // Nothing to change is no statement; the row is looked at all the same.
    const row = await db
      .updateTable('api_keys')
      .set({ id, ...changes })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return 'key_not_found'
    await noteChange(db, id, new Date(now()))
    return row
  })
  return typeof result === 'string' ? fail(result) : keyOf(result)
})

export const rotateKey = impl.handler('rotateKey', async ({ input: { id, graceMs }, store, fail, now }) => {
  const nowMs = now()
  const result = await store.transaction(async ({ db }) => {
    const key = await db.selectFrom('api_keys').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (key === undefined) return 'key_not_found'
    if (key.revoked_at !== null) return 'key_revoked'
    await endSecrets(db, id, new Date(nowMs), new Date(nowMs + graceMs))
    const secret = newSecret(key.environment)
    const kept = { hash: hashOf(secret), key_id: id, created_at: new Date(nowMs), expires_at: null }
    await db.insertInto('api_key_secrets').values(kept).execute()
    const row = await db
      .updateTable('api_keys')
      .set({ prefix: keyPrefix(secret) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await noteChange(db, id, new Date(nowMs))
    return { row, secret }
  })
  return typeof result === 'string' ? fail(result) : { key: keyOf(result.row), secret: result.secret }
})

/** The newest secret ends at `graceEnd`; one that was ending already ends now. */
async function endSecrets(db: Parameters<typeof holdPlan>[0], keyId: string, now: Date, graceEnd: Date): Promise<void> {
  await db
    .updateTable('api_key_secrets')
    .set({ expires_at: now })
    .where('key_id', '=', keyId)
    .where('expires_at', '>', now)
    .execute()
  await db
    .updateTable('api_key_secrets')
    .set({ expires_at: graceEnd })
    .where('key_id', '=', keyId)
    .where('expires_at', 'is', null)
    .execute()
}

/** Done again it changes nothing more. */
export const revokeKey = impl.handler('revokeKey', async ({ input: { id }, store, fail, now }) => {
  const at = new Date(now())
  const known = await store.transaction(async ({ db }) => {
    const key = await db.selectFrom('api_keys').select('revoked_at').where('id', '=', id).forUpdate().executeTakeFirst()
    if (key?.revoked_at !== null) return key !== undefined
    await db.updateTable('api_keys').set({ revoked_at: at }).where('id', '=', id).execute()
    await noteChange(db, id, at)
    return true
  })
  if (!known) fail('key_not_found')
})

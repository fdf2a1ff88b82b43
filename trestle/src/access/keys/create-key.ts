import { keyPrefix } from '../../gateway/access/key-format.ts'
import { impl } from '../implementation.ts'
import { hashOf, holdPlan, keyOf } from './key-rows.ts'
import { newSecret } from './new-secret.ts'

/** No gateway knows the new secret: nothing is to be forgotten. */
export const createKey = impl.handler('createKey', async ({ input, store, fail, newId, now }) => {
  const { name, owner, environment, plan, scopes, expiresAt } = input
  const secret = newSecret(environment)
  const at = new Date(now())
  const row = await store.transaction(async ({ db }) => {
    if (plan !== undefined && !(await holdPlan(db, plan))) return undefined
    const made = await db
      .insertInto('api_keys')
      .values({
        id: newId(),
        name,
        owner,
        environment,
        prefix: keyPrefix(secret),
        plan: plan ?? null,
        scopes: JSON.stringify(scopes),
        enabled: true,
        created_at: at,
        expires_at: expiresAt === undefined ? null : new Date(expiresAt),
        last_used_at: null,
        revoked_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const kept = { hash: hashOf(secret), key_id: made.id, created_at: at, expires_at: null }
    await db.insertInto('api_key_secrets').values(kept).execute()
    return made
  })
  return row === undefined ? fail('plan_not_found') : { key: keyOf(row), secret }
})

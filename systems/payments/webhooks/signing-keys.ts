import type { Kysely } from 'kysely'
import type { Store } from 'trestle/store'
import { newKeyPair } from './signature.ts'
import type { SigningKeyRow, WebhooksTables } from './tables.ts'

/** How long the public half of a key that signs no more is shown, milliseconds: longer than anything is sent again. */
const shownMs = 30 * 86_400_000

/** The key that signs now. */
export function currentKey(db: Kysely<WebhooksTables>): Promise<SigningKeyRow> {
  return db.selectFrom('signing_keys').selectAll().where('retired_at', 'is', null).executeTakeFirstOrThrow()
}

/** Makes the first key, unless there is one; of several at once one does. */
export async function ensureKey(db: Kysely<WebhooksTables>, newId: () => string, now: number): Promise<void> {
  const known = await db.selectFrom('signing_keys').select('kid').where('retired_at', 'is', null).executeTakeFirst()
  if (known !== undefined) return
  const { x, privatePkcs8 } = newKeyPair()
  await db
    .insertInto('signing_keys')
    .values({ kid: newId(), public_x: x, private_pkcs8: privatePkcs8, created_at: new Date(now) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** A new key signs from now on; the one before is still shown. */
export function rotateKey(store: Store<WebhooksTables>, newId: () => string, now: number): Promise<SigningKeyRow> {
  return store.transaction(async ({ db }) => {
    const retired_at = new Date(now)
    await db.updateTable('signing_keys').set({ retired_at }).where('retired_at', 'is', null).execute()
    await ensureKey(db, newId, now)
    return currentKey(db)
  })
}

/** As a JSON Web Key Set shows them, the newest first. Source: RFC 7517, RFC 8037. */
export async function publicKeys(db: Kysely<WebhooksTables>, now: number) {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'public_x'])
    .where((row) => row.or([row('retired_at', 'is', null), row('retired_at', '>', new Date(now - shownMs))]))
    .orderBy('created_at', 'desc')
    .execute()
  return rows.map(({ kid, public_x }) => ({
    kty: 'OKP' as const,
    crv: 'Ed25519' as const,
    x: public_x,
    kid,
    alg: 'EdDSA' as const,
    use: 'sig' as const,
  }))
}

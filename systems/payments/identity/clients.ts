import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { storeClient, storeMerchant } from '../development.ts'
import { clientScopes, type ClientScope } from '../scopes.ts'
import { tokenSecondsDefault } from './contract.ts'
import { hashOf, sameHash } from './secrets.ts'
import type { ClientRow, IdentityTables } from './tables.ts'

/** How long the secret before stays valid, milliseconds. */
const graceMs = 86_400_000
/** Compared with where there is no client: an unknown id takes as long as a wrong secret. The hash of nothing that is known. */
const nobody = randomBytes(32)

/** The client whose secret this is. */
export async function clientWith(
  db: Kysely<IdentityTables>,
  clientId: string,
  secret: string,
  now: number,
): Promise<ClientRow | undefined> {
  const client = await db.selectFrom('clients').selectAll().where('client_id', '=', clientId).executeTakeFirst()
  const given = hashOf(secret)
  const current = sameHash(given, client?.secret_hash ?? nobody)
  const graced = client?.previous_until != null && client.previous_until.getTime() > now
  const previous = sameHash(given, (graced ? client.previous_secret_hash : null) ?? nobody)
  return current || previous ? client : undefined
}

/** Gives a client a new secret; the one before is valid for a while. Answers whether there is such a client. */
export async function renewSecret(
  db: Kysely<IdentityTables>,
  client: { readonly merchantId: string; readonly clientId: string; readonly secret: string },
  now: number,
): Promise<boolean> {
  const renewed = await db
    .updateTable('clients')
    .set((own) => ({
      previous_secret_hash: own.ref('secret_hash'),
      previous_until: new Date(now + graceMs),
      secret_hash: hashOf(client.secret),
    }))
    .where('client_id', '=', client.clientId)
    .where('merchant_id', '=', client.merchantId)
    .executeTakeFirst()
  return renewed.numUpdatedRows > 0n
}

/** Seeds the client of the store, with the secret that the environment says now. */
export async function ensureStoreClient(db: Kysely<IdentityTables>, now: number): Promise<void> {
  const store = storeClient()
  if (store === undefined) return
  const secret_hash = hashOf(store.clientSecret)
  await db
    .insertInto('clients')
    .values({
      client_id: store.clientId,
      merchant_id: storeMerchant,
      name: 'The store',
      scopes: [...clientScopes] satisfies ClientScope[],
      token_seconds: tokenSecondsDefault,
      secret_hash,
      created_at: new Date(now),
    })
    .onConflict((conflict) => conflict.column('client_id').doUpdateSet({ secret_hash }))
    .execute()
  await db
    .insertInto('merchants')
    .values({ merchant_id: storeMerchant, active: true })
    .onConflict((conflict) => conflict.column('merchant_id').doNothing())
    .execute()
}

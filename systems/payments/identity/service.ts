import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { readForm } from '../form.ts'
import { merchants } from '../merchants/contract.ts'
import { usualScopes } from '../scopes.ts'
import { clientWith, ensureStoreClient, renewSecret as renew } from './clients.ts'
import { identity } from './contract.ts'
import { hashOf, newSecret, newToken } from './secrets.ts'
import type { IdentityTables } from './tables.ts'

const clientsMax = 20

const impl = implement(identity, {
  store: postgres<IdentityTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const token = impl.handler('token', async ({ input, caller, store, fail, now }) => {
  const form = readForm(input.form) ?? fail('invalid_request')
  const grant = form.get('grant_type') ?? fail('invalid_request', { detail: 'grant_type is missing' })
  if (grant !== 'client_credentials') return fail('unsupported_grant_type')
  const client = await store.db
    .selectFrom('clients')
    .innerJoin('merchants', 'merchants.merchant_id', 'clients.merchant_id')
    .select(['clients.client_id', 'clients.scopes', 'clients.token_seconds'])
    .where('clients.client_id', '=', caller.id)
    .where('merchants.active', '=', true)
    .executeTakeFirst()
  if (client === undefined) return fail('unauthorized_client')
  const asked = form.get('scope')?.split(' ').filter(Boolean) ?? []
  if (asked.some((scope) => !client.scopes.some((one) => one === scope))) return fail('invalid_scope')
  const scopes = asked.length === 0 ? client.scopes : client.scopes.filter((scope) => asked.includes(scope))
  const access_token = newToken()
  await store.db
    .insertInto('tokens')
    .values({
      token_hash: hashOf(access_token),
      client_id: client.client_id,
      scopes,
      expires_at: new Date(now() + client.token_seconds * 1_000),
    })
    .execute()
  return {
    scope: scopes.join(' '),
    access_token,
    token_type: 'Bearer' as const,
    app_id: client.client_id,
    expires_in: client.token_seconds,
  }
})

const terminate = impl.handler('terminate', async ({ input, caller, store, fail }) => {
  const ended = readForm(input.form)?.get('token') ?? fail('invalid_request', { detail: 'token is missing' })
  await store.db
    .deleteFrom('tokens')
    .where('token_hash', '=', hashOf(ended))
    .where('client_id', '=', caller.id)
    .execute()
})

const verifyClient = impl.handler('verifyClient', async ({ input, store, fail, now }) => {
  const client = await clientWith(store.db, input.client_id, input.client_secret, now())
  if (client === undefined) return fail('client_invalid')
  return { client_id: client.client_id, merchant_id: client.merchant_id }
})

const introspect = impl.handler('introspect', async ({ input, store, fail, now }) => {
  const found = await store.db
    .selectFrom('tokens')
    .innerJoin('clients', 'clients.client_id', 'tokens.client_id')
    .innerJoin('merchants', 'merchants.merchant_id', 'clients.merchant_id')
    .select(['clients.client_id', 'clients.merchant_id', 'tokens.scopes', 'tokens.expires_at'])
    .where('tokens.token_hash', '=', hashOf(input.token))
    .where('tokens.expires_at', '>', new Date(now()))
    .where('merchants.active', '=', true)
    .executeTakeFirst()
  return found === undefined ? fail('token_invalid') : { ...found, expires_at: found.expires_at.toISOString() }
})

const clients = impl.handler('clients', async ({ input, store }) => {
  const rows = await store.db
    .selectFrom('clients')
    .select(['client_id', 'name', 'scopes', 'created_at'])
    .where('merchant_id', '=', input.merchant_id)
    .orderBy('created_at')
    .orderBy('client_id')
    .execute()
  return { clients: rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() })) }
})

const createClient = impl.handler('createClient', async ({ input, store, fail, newId, now }) => {
  const { merchant_id, name, token_seconds } = input
  const client_secret = newSecret()
  const client_id = newId()
  return store.transaction(async ({ db }) => {
    await db
      .insertInto('merchants')
      .values({ merchant_id, active: false })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    // One after the other for each merchant: two at once would both find room.
    await db.selectFrom('merchants').select('active').where('merchant_id', '=', merchant_id).forUpdate().execute()
    const others = await db.selectFrom('clients').select('client_id').where('merchant_id', '=', merchant_id).execute()
    if (others.length >= clientsMax) return fail('too_many_clients')
    await db
      .insertInto('clients')
      .values({
        client_id,
        merchant_id,
        name,
        scopes: input.scopes ?? [...usualScopes],
        token_seconds,
        secret_hash: hashOf(client_secret),
        created_at: new Date(now()),
      })
      .execute()
    return { client_id, client_secret }
  })
})

const renewSecret = impl.handler('renewSecret', async ({ input, store, fail, now }) => {
  const { merchant_id: merchantId, client_id: clientId } = input
  const secret = newSecret()
  if (!(await renew(store.db, { merchantId, clientId, secret }, now()))) return fail('client_not_found')
  return { client_id: clientId, client_secret: secret }
})

const removeClient = impl.handler('removeClient', async ({ input, store, fail }) => {
  const removed = await store.db
    .deleteFrom('clients')
    .where('client_id', '=', input.client_id)
    .where('merchant_id', '=', input.merchant_id)
    .executeTakeFirst()
  if (removed.numDeletedRows === 0n) fail('client_not_found')
})

export default impl.service({
  handlers: { token, terminate, verifyClient, introspect, clients, createClient, renewSecret, removeClient },
  on: [
    impl.on(merchants.events.statusChanged, ({ event, tx }) => {
      const active = event.status === 'active'
      return tx.db
        .insertInto('merchants')
        .values({ merchant_id: event.merchant_id, active })
        .onConflict((conflict) => conflict.column('merchant_id').doUpdateSet({ active }))
        .execute()
    }),
  ],
  start: ({ store, now }) => ensureStoreClient(store.db, now()),
  jobs: [
    impl.every('10 minutes', 'forget-expired-tokens', async ({ store, now }) => {
      await store.db.deleteFrom('tokens').where('expires_at', '<=', new Date(now())).execute()
    }),
  ],
})

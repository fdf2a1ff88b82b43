import { implement } from 'trestle/service'
import type { Caller } from 'trestle/service'
import { postgres } from 'trestle/store'
import { storeClient, storeMerchant } from '../development.ts'
import { identity } from '../identity/contract.ts'
import { merchants } from './contract.ts'
import type { MerchantRow, MerchantsTables } from './tables.ts'

const impl = implement(merchants, {
  uses: { identity },
  store: postgres<MerchantsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const onboard = impl.handler('onboard', async ({ input, call, store, fail, newId, now }) => {
  const email = input.email.normalize('NFKC').toLowerCase()
  const known = await store.db.selectFrom('merchants').select('email').where('email', '=', email).executeTakeFirst()
  if (known !== undefined) return fail('email_taken')
  const merchant_id = newId()
  // First: a client without a merchant gets no tokens, a merchant without a client could do nothing at all.
  const made = await call.identity.createClient.try({ merchant_id, name: 'First' })
  if (!made.ok) throw made.error
  const row = await store.db
    .insertInto('merchants')
    .values({ ...input, email, merchant_id, status: 'pending', created_at: new Date(now()) })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? fail('email_taken') : { merchant: shown(row), client: made.value }
})

const me = impl.handler('me', async ({ caller, store, fail }) => {
  const row = await store.db
    .selectFrom('merchants')
    .selectAll()
    .where('merchant_id', '=', merchantOf(caller) ?? fail('merchant_not_found'))
    .executeTakeFirst()
  return row === undefined ? fail('merchant_not_found') : shown(row)
})

const clients = impl.handler('clients', ({ caller, call, fail }) =>
  call.identity.clients({ merchant_id: merchantOf(caller) ?? fail('merchant_not_found') }),
)

const addClient = impl.handler('addClient', async ({ input, caller, call, fail }) => {
  const merchant_id = merchantOf(caller) ?? fail('merchant_not_found')
  return await call.identity.createClient({ merchant_id, name: input.name })
})

const renewSecret = impl.handler('renewSecret', async ({ input, caller, call, fail }) => {
  const merchant_id = merchantOf(caller) ?? fail('merchant_not_found')
  return await call.identity.renewSecret({ merchant_id, client_id: input.client_id })
})

const removeClient = impl.handler('removeClient', async ({ input, caller, call, fail }) => {
  const merchant_id = merchantOf(caller) ?? fail('merchant_not_found')
  await call.identity.removeClient({ merchant_id, client_id: input.client_id })
})

const find = impl.handler('find', async ({ input, store, fail }) => {
  const row = await store.db
    .selectFrom('merchants')
    .selectAll()
    .where('merchant_id', '=', input.merchant_id)
    .executeTakeFirst()
  return row === undefined ? fail('merchant_not_found') : shown(row)
})

const setStatus = impl.handler('setStatus', ({ input: { merchant_id, status }, store, fail }) =>
  store.transaction(async (tx) => {
    const before = await tx.db
      .selectFrom('merchants')
      .selectAll()
      .where('merchant_id', '=', merchant_id)
      .forUpdate()
      .executeTakeFirst()
    if (before === undefined) return fail('merchant_not_found')
    if (before.status === status) return shown(before)
    await tx.db.updateTable('merchants').set({ status }).where('merchant_id', '=', merchant_id).execute()
    tx.publish(merchants.events.statusChanged, { merchant_id, status })
    return shown({ ...before, status })
  }),
)

export default impl.service({
  handlers: { onboard, me, clients, addClient, renewSecret, removeClient, find, setStatus },
  // Identity seeds the client of this merchant and knows that it is active.
  async start({ store, now }) {
    if (storeClient() === undefined) return
    await store.db
      .insertInto('merchants')
      .values({
        merchant_id: storeMerchant,
        business_name: 'The store',
        email: 'payments@store.example',
        country_code: 'GB',
        status: 'active',
        created_at: new Date(now()),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  },
})

/** Of a merchant's client; nobody else has one. */
function merchantOf({ kind, tenant }: Caller): string | undefined {
  return kind === 'key' ? tenant : undefined
}

function shown({ created_at, ...merchant }: MerchantRow) {
  return { ...merchant, created_at: created_at.toISOString() }
}

import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import merchantsService from '../merchants/service.ts'
import { identity } from './contract.ts'
import identityService from './service.ts'
import type { IdentityTables } from './tables.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([identityService, merchantsService])
})
afterAll(() => services?.[Symbol.asyncDispose]())

const operator = () => services.client(identity)
const client = (id: string): Caller => ({ kind: 'key', id, tenant: 'any', scopes: ['token'] })
const form = (text: string) => ({ form: Buffer.from(text).toString('base64') })
const grant = form('grant_type=client_credentials')
const tokenFor = (id: string, asked = grant) => services.client(identity, client(id)).token.try(asked)
const db = () => services.store<IdentityTables>('identity').db
const code = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? 'ok' : result.error?.code)

let merchantsMade = 0
/** An active merchant with one client. */
async function merchantWithClient(more: { token_seconds?: number } = {}) {
  const merchant_id = `merchant-${++merchantsMade}`
  const made = await operator().createClient({ merchant_id, name: 'First', ...more })
  await db().updateTable('merchants').set({ active: true }).where('merchant_id', '=', merchant_id).execute()
  return { merchant_id, ...made }
}

describe('a token', () => {
  it('tells whose it is and what it allows, until it expires', async () => {
    const { merchant_id, client_id } = await merchantWithClient({ token_seconds: 60 })
    const got = await services.client(identity, client(client_id)).token(grant)
    expect(got).toMatchObject({ token_type: 'Bearer', app_id: client_id, expires_in: 60 })
    expect(got.scope).toBe('payments webhooks merchant')
    const token = got.access_token
    expect(await operator().introspect({ token })).toMatchObject({
      client_id,
      merchant_id,
      scopes: ['payments', 'webhooks', 'merchant'],
    })
    services.pass(59_000)
    expect((await operator().introspect.try({ token })).ok).toBe(true)
    services.pass(1_000)
    expect(code(await operator().introspect.try({ token }))).toBe('token_invalid')
    await services.runJob('identity', 'forget-expired-tokens')
    expect(await db().selectFrom('tokens').selectAll().where('client_id', '=', client_id).execute()).toEqual([])
  })

  it('may have fewer scopes than its client, and none that its client has not', async () => {
    const { client_id } = await merchantWithClient()
    const less = await tokenFor(client_id, form('grant_type=client_credentials&scope=webhooks'))
    expect(less).toMatchObject({ ok: true, value: { scope: 'webhooks' } })
    expect(code(await tokenFor(client_id, form('grant_type=client_credentials&scope=webhooks+test')))).toBe(
      'invalid_scope',
    )
  })

  it.each([
    ['', 'invalid_request'],
    ['grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
    ['\u00ff', 'invalid_request'],
    ['grant_type=password&username=a&password=b', 'unsupported_grant_type'],
    ['grant_type=authorization_code', 'unsupported_grant_type'],
  ])('is not given for the form %j: %s', async (text, refusal) => {
    const { client_id } = await merchantWithClient()
    expect(code(await tokenFor(client_id, { form: Buffer.from(text, 'latin1').toString('base64') }))).toBe(refusal)
  })

  it('is ended by its own client alone', async () => {
    const [ada, eve] = [await merchantWithClient(), await merchantWithClient()]
    const { access_token: token } = await services.client(identity, client(ada.client_id)).token(grant)
    await services.client(identity, client(eve.client_id)).terminate(form(`token=${token}`))
    expect((await operator().introspect.try({ token })).ok).toBe(true)
    await services.client(identity, client(ada.client_id)).terminate(form(`token=${token}`))
    expect(code(await operator().introspect.try({ token }))).toBe('token_invalid')
  })

  it('is given and known only while the merchant is active', async () => {
    const { merchant_id, client_id } = await merchantWithClient()
    const { access_token: token } = await services.client(identity, client(client_id)).token(grant)
    await db().updateTable('merchants').set({ active: false }).where('merchant_id', '=', merchant_id).execute()
    expect(code(await operator().introspect.try({ token }))).toBe('token_invalid')
    expect(code(await tokenFor(client_id))).toBe('unauthorized_client')
  })
})

describe('a client', () => {
  it('is known by its secret, of which only a hash is kept', async () => {
    const { merchant_id, client_id, client_secret } = await merchantWithClient()
    expect(await operator().verifyClient({ client_id, client_secret })).toEqual({ client_id, merchant_id })
    for (const wrong of [
      { client_id, client_secret: `${client_secret}x` },
      { client_id, client_secret: '' },
      { client_id: 'nobody', client_secret },
      { client_id: 'nobody', client_secret: '' },
    ]) {
      expect(code(await operator().verifyClient.try(wrong))).toBe('client_invalid')
    }
    const { access_token } = await services.client(identity, client(client_id)).token(grant)
    const rows = JSON.stringify([
      await db().selectFrom('clients').selectAll().execute(),
      await db().selectFrom('tokens').selectAll().execute(),
    ])
    expect(rows).toContain(client_id)
    for (const secret of [client_secret, access_token]) expect(rows).not.toContain(secret)
  })

  it('has its old secret for a day beside a new one', async () => {
    const { merchant_id, client_id, client_secret } = await merchantWithClient()
    const renewed = await operator().renewSecret({ merchant_id, client_id })
    const known = async (secret: string) =>
      code(await operator().verifyClient.try({ client_id, client_secret: secret }))
    expect(await known(client_secret)).toBe('ok')
    expect(await known(renewed.client_secret)).toBe('ok')
    services.pass(86_400_000)
    expect(await known(client_secret)).toBe('client_invalid')
    expect(await known(renewed.client_secret)).toBe('ok')
  })

  it('takes its tokens along when it is removed, and is another merchant’s for nobody', async () => {
    const { merchant_id, client_id } = await merchantWithClient()
    const { access_token: token } = await services.client(identity, client(client_id)).token(grant)
    const stranger = { merchant_id: 'another', client_id }
    expect(code(await operator().removeClient.try(stranger))).toBe('client_not_found')
    expect(code(await operator().renewSecret.try(stranger))).toBe('client_not_found')
    await operator().removeClient({ merchant_id, client_id })
    expect(code(await operator().introspect.try({ token }))).toBe('token_invalid')
    expect((await operator().clients({ merchant_id })).clients).toEqual([])
  })

  it('is one of at most twenty, however many are made at once', async () => {
    const { merchant_id } = await merchantWithClient()
    const tries = await Promise.all(
      Array.from({ length: 24 }, (_, n) => operator().createClient.try({ merchant_id, name: `Client ${n}` })),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(19)
    expect(tries.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'too_many_clients' } })
  })

  it('of the store is there from the start, and follows the environment', async () => {
    const client_secret = 'store-development-secret'
    expect(await operator().verifyClient({ client_id: 'store', client_secret })).toEqual({
      client_id: 'store',
      merchant_id: 'store',
    })
    expect((await tokenFor('store')).ok).toBe(true)
  })
})

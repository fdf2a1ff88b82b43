import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '../identity/contract.ts'
import identityService from '../identity/service.ts'
import { merchants } from './contract.ts'
import merchantsService from './service.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([identityService, merchantsService])
})
afterAll(() => services?.[Symbol.asyncDispose]())

const anybody: Caller = { kind: 'anonymous', id: '', scopes: [] }
const clientOf = (merchant: string): Caller => ({ kind: 'key', id: 'any', tenant: merchant, scopes: ['merchant'] })
const as = (caller: Caller) => services.client(merchants, caller)
let made = 0
const onboard = (email = `merchant-${++made}@example.org`) =>
  as(anybody).onboard({ business_name: 'Lamps', email, country_code: 'GB' })

describe('a merchant', () => {
  it('begins as pending, with a client whose secret is right and that gets no token yet', async () => {
    const { merchant, client } = await onboard('Ada@Example.org')
    expect(merchant).toMatchObject({ email: 'ada@example.org', status: 'pending' })
    expect(await services.client(identity).verifyClient(client)).toMatchObject({ merchant_id: merchant.merchant_id })
    const form = Buffer.from('grant_type=client_credentials').toString('base64')
    const caller: Caller = { kind: 'key', id: client.client_id, tenant: merchant.merchant_id, scopes: ['token'] }
    const token = await services.client(identity, caller).token.try({ form })
    expect(token).toMatchObject({ ok: false, error: { code: 'unauthorized_client' } })
  })

  it('gets tokens once it is active, and none any more when it is suspended', async () => {
    const { merchant, client } = await onboard()
    const { merchant_id } = merchant
    const caller: Caller = { kind: 'key', id: client.client_id, tenant: merchant_id, scopes: ['token'] }
    const form = Buffer.from('grant_type=client_credentials').toString('base64')
    const become = async (status: 'active' | 'suspended') => {
      expect(await services.client(merchants).setStatus({ merchant_id, status })).toEqual({ ...merchant, status })
      await services.settled()
    }
    await become('active')
    const { access_token: token } = await services.client(identity, caller).token({ form })
    expect(await services.client(identity).introspect({ token })).toMatchObject({ merchant_id })
    await become('suspended')
    const refused = await services.client(identity, caller).token.try({ form })
    expect(refused).toMatchObject({ ok: false, error: { code: 'unauthorized_client' } })
    const unknown = await services.client(identity).introspect.try({ token })
    expect(unknown).toMatchObject({ ok: false, error: { code: 'token_invalid' } })
    await become('active')
    expect((await services.client(identity, caller).token.try({ form })).ok).toBe(true)
  })

  it('is one for each e-mail address, however that is spelled and however many ask at once', async () => {
    const email = 'eve@example.org'
    const tries = await Promise.all(
      [email, email.toUpperCase(), email].map((each) =>
        as(anybody).onboard.try({ business_name: 'Lamps', email: each, country_code: 'GB' }),
      ),
    )
    expect(tries.flatMap((each) => (each.ok ? [] : [each.error.code]))).toEqual(['email_taken', 'email_taken'])
  })

  it('sees and changes its own clients alone', async () => {
    const [ada, eve] = [await onboard(), await onboard()]
    const own = as(clientOf(ada.merchant.merchant_id))
    expect(await own.me({})).toEqual(ada.merchant)
    const second = await own.addClient({ name: 'Second' })
    expect((await own.clients({})).clients.map(({ name }) => name)).toEqual(['First', 'Second'])
    const stranger = as(clientOf(eve.merchant.merchant_id))
    const { client_id } = second
    const unknown = { ok: false, error: { code: 'client_not_found', status: 404 } }
    expect(await stranger.renewSecret.try({ client_id })).toMatchObject(unknown)
    expect(await stranger.removeClient.try({ client_id })).toMatchObject(unknown)
    expect((await own.renewSecret({ client_id })).client_secret).not.toBe(second.client_secret)
    await own.removeClient({ client_id })
    expect((await own.clients({})).clients.map(({ name }) => name)).toEqual(['First'])
  })

  it('is nobody who is not a client', async () => {
    const user = as({ kind: 'user', id: 'ada', scopes: ['merchant'] })
    expect(await user.me.try({})).toMatchObject({ error: { code: 'merchant_not_found' } })
    expect(await user.clients.try({})).toMatchObject({ error: { code: 'merchant_not_found' } })
  })

  it('that is the store is active from the start', async () => {
    expect(await services.client(merchants).find({ merchant_id: 'store' })).toMatchObject({ status: 'active' })
  })
})

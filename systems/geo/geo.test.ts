import { randomUUID } from 'node:crypto'
import { runners, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Ask, clientOf, type Question } from './journey/client.ts'
import { journey, type Step } from './journey/journey.ts'

process.env.GEO_PASSWORD_BLOCKS = '1024'
const password = 'correct horse battery'

describe.each(runners)('geolocation on %s', (runner) => {
  let geo: TestSystem
  let ask: Ask
  beforeAll(async () => {
    geo = await runner.start(new URL('./system.ts', import.meta.url))
    ask = clientOf(geo.url)
  })
  afterAll(() => geo?.stop())

  async function customer(plan: 'free' | 'premium' = 'free') {
    const email = `${randomUUID()}@example.org`
    const made = await ask('POST', '/accounts', { body: { email, password } })
    const session = await ask('POST', '/sessions', { body: { email, password } })
    const token = session.body.token as string
    if (plan === 'premium') await ask('PUT', '/subscription', { body: { plan }, token })
    return {
      email,
      token,
      key: made.body.key as string,
      application: made.body.application,
      account: made.body.account,
    }
  }

  it('takes a customer from the sign-up to the premium plan', async () => {
    const steps: Step[] = []
    await journey(ask, (step) => steps.push(step))
    expect(steps.filter(({ kept }) => !kept)).toEqual([])
    const titles = ['Sign up', 'Look up', 'Run into the limit', 'Upgrade', 'Look up more']
    expect(steps.map(({ title }) => title)).toEqual(titles)
  })

  it("takes the key in a header, in the query or as a bearer token, and is about the client's own address then", async () => {
    const { key } = await customer('premium')
    // The client of a test is this machine, which is in no country: the address was read, and refused as what it is.
    const own = { status: 422, body: { code: 'ip_reserved', details: { ip_address: '127.0.0.1' } } }
    expect(await ask('GET', '/v1/', { key })).toMatchObject(own)
    expect(await ask('GET', `/v1/?api_key=${key}`)).toMatchObject(own)
    expect(await ask('GET', '/v1/', { token: key })).toMatchObject(own)
    const spoofed = await geo.fetch('/v1/', {
      headers: { 'x-api-key': key, 'x-forwarded-for': '8.8.8.8', 'trestle-client-address': '8.8.8.8' },
    })
    expect(await spoofed.json()).toMatchObject(own.body)
  })

  it('knows the system of an address, and names in each answer whose data are in it', async () => {
    const { key } = await customer('premium')
    await patiently(async () => {
      const answer = await ask('GET', '/v1/?ip_address=1.1.1.1&fields=asn,organisation', { key })
      expect(answer).toMatchObject({ status: 200, body: { asn: 13335, organisation: 'Cloudflare, Inc.' } })
      const link = answer.headers.get('link') ?? ''
      for (const one of ['licenses/by/4.0/>; rel="license"', 'db-ip.com', 'www.routeviews.org', 'www.nro.net']) {
        expect(link).toContain(one)
      }
    })
    expect((await ask('GET', '/v1/nowhere', { key })).headers.get('link')).toBeNull()
  })

  it('refuses what it must, each with its status and code', async () => {
    const premium = await customer('premium')
    const free = await customer()
    const { key, token } = premium
    await patiently(async () => {
      expect((await ask('GET', '/v1/8.8.8.8?fields=city', { key })).status).toBe(200)
    })
    const batch = { ip_addresses: ['8.8.8.8'] }
    const refusals: [string, string, Question, number, string][] = [
      ['GET', '/v1/8.8.8.8', {}, 401, 'unauthenticated'],
      ['GET', '/v1/8.8.8.8', { key: 'garbage' }, 401, 'key_unknown'],
      ['GET', '/v1/8.8.8.8', { key: `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}` }, 401, 'key_unknown'],
      ['GET', '/v1/8.8.8.8', { token }, 403, 'forbidden'],
      ['GET', '/account', { key }, 403, 'forbidden'],
      ['GET', '/v1/nowhere', { key }, 400, 'ip_invalid'],
      ['GET', '/v1/?ip_address=192.168.0.1', { key }, 422, 'ip_private'],
      ['GET', '/v1/fe80::1', { key }, 422, 'ip_reserved'],
      ['GET', '/v1/8.8.8.8?fields=capital', { key }, 400, 'field_unknown'],
      ['GET', '/v1/8.8.8.8?fields=city', { key: free.key }, 403, 'field_not_in_plan'],
      ['POST', '/v1/batch', { key: free.key, body: batch }, 403, 'plan_required'],
      ['POST', '/v1/batch', { key, body: { ip_addresses: [] } }, 400, 'invalid_input'],
      ['POST', '/accounts', { body: { email: premium.email, password } }, 409, 'email_taken'],
      ['POST', '/sessions', { body: { email: premium.email, password: 'wrong horse' } }, 401, 'wrong_credentials'],
      ['PUT', '/subscription', { token, body: { plan: 'golden' } }, 400, 'invalid_input'],
      ['POST', `/applications/${free.application.id}/key`, { token, body: {} }, 404, 'application_not_found'],
      ['DELETE', `/applications/${free.application.id}`, { token }, 404, 'application_not_found'],
    ]
    for (const [method, path, question, status, code] of refusals) {
      const reply = await ask(method, path, question)
      expect({ method, path, status: reply.status, code: reply.body?.code }).toEqual({ method, path, status, code })
    }
  })

  it('gives each application a key on the plan of the account, renews it, and takes it away', async () => {
    const { key, token, application } = await customer('premium')
    const second = await ask('POST', '/applications', { token, body: { name: 'Second' } })
    expect(second).toMatchObject({ status: 201, body: { application: { name: 'Second' } } })
    await patiently(async () => {
      expect((await ask('GET', '/v1/8.8.8.8?fields=city', { key: second.body.key })).status).toBe(200)
    })
    const renewed = await ask('POST', `/applications/${application.id}/key`, { token, body: {} })
    expect(renewed.status).toBe(201)
    for (const each of [key, renewed.body.key as string]) {
      expect((await ask('GET', '/v1/8.8.8.8', { key: each })).status).toBe(200)
    }
    const { items } = (await ask('GET', '/applications', { token })).body
    expect(items.map((each: { key_prefix: string }) => each.key_prefix)).toEqual(
      [renewed.body.key, second.body.key].map((secret: string) => secret.slice(0, 13)),
    )
    expect((await ask('DELETE', `/applications/${second.body.application.id}`, { token })).status).toBe(204)
    await patiently(async () => {
      expect((await ask('GET', '/v1/8.8.8.8', { key: second.body.key })).status).toBe(401)
    })
    expect((await ask('GET', '/v1/8.8.8.8', { key })).status).toBe(200)
  })

  it('counts what an account used', async () => {
    const { key, token } = await customer('premium')
    await Promise.all(Array.from({ length: 5 }, () => ask('GET', '/v1/8.8.8.8', { key })))
    await patiently(async () => {
      const usage = await ask('GET', '/usage', { token })
      expect(usage).toMatchObject({ status: 200, body: { requests: 5, units: 5 } })
    })
    expect((await ask('GET', '/invoices', { token })).body).toEqual({ items: [] })
  })

  it('bounds how often passwords may be tried from one address', async () => {
    const body = { email: 'nobody@example.org', password }
    const tries = await Promise.all(Array.from({ length: 31 }, () => ask('POST', '/sessions', { body })))
    const refused = tries.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]?.body).toMatchObject({ code: 'rate_limited' })
    expect((await ask('GET', '/plans')).status).toBe(200)
  })
})

/** What becomes true within a second, or is written once in a while. */
function patiently(look: () => Promise<void>): Promise<void> {
  return vi.waitFor(look, { timeout: 10_000, interval: 50 })
}

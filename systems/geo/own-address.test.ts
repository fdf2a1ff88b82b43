import { local, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

process.env.GEO_PASSWORD_BLOCKS = '1024'
// Of this process alone, and before the system is read.
process.env.GEO_TRUSTED_PROXIES = '127.0.0.0/8, 198.51.100.0/24'

describe('a look-up without an address, behind proxies that the gateway trusts', () => {
  let geo: TestSystem
  let key: string
  beforeAll(async () => {
    geo = await local.start(new URL('./system.ts', import.meta.url))
    const body = { email: 'ada@example.org', password: 'correct horse battery' }
    const made = (await (await geo.fetch('/accounts', { body })).json()) as { key: string }
    key = made.key
  })
  afterAll(() => geo?.stop())

  const place = async (forwarded: string) => {
    for (;;) {
      const reply = await geo.fetch('/v1/', { headers: { 'x-api-key': key, 'x-forwarded-for': forwarded } })
      if (reply.status !== 429) return (await reply.json()) as { ip_address: string; country?: string; code?: string }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  it('is about the client that they name, and not about what that client says of itself', async () => {
    expect(await place('81.2.69.142')).toMatchObject({ ip_address: '81.2.69.142', country: 'United Kingdom' })
    expect(await place('8.8.8.8, 81.2.69.142, 198.51.100.7')).toMatchObject({ ip_address: '81.2.69.142' })
    expect(await place('10.9.9.9')).toMatchObject({ code: 'ip_private', details: { ip_address: '10.9.9.9' } })
  })
})

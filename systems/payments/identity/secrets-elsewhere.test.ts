import { local, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ask, clientOf } from '../testing/client.ts'
import { tokenOf } from '../testing/people.ts'

const store = 'store:store-development-secret'

describe('the secret of a client', () => {
  let payments: TestSystem
  let ask: Ask
  beforeAll(async () => {
    payments = await local.start(new URL('../system.ts', import.meta.url))
    ask = clientOf(payments.url)
  })
  afterAll(() => payments?.stop())

  it('is not tried without a bound where no secret is needed, and opens what it is for meanwhile', async () => {
    const attempt = (basic: string) => ask('GET', '/v1/merchants/me', { basic })
    expect((await attempt('store:guessed')).status).toBe(401)
    const answers = await Promise.all(Array.from({ length: 100 }, () => attempt('store:guessed')))
    const refused = answers.find(({ status }) => status !== 401)
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    expect((await attempt(store)).status).toBe(429)
    const token = await tokenOf(ask, store)
    expect((await ask('GET', '/v1/merchants/me', { token: token as string })).status).toBe(200)
  })
})

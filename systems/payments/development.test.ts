import { describe, expect, it } from 'vitest'
import { storeClient, switchesAreOn } from './development.ts'

const production = { NODE_ENV: 'production', PAYMENTS_STORE_CLIENT_ID: 'shop' }

describe('the client of the store', () => {
  it('is known to everybody in development, unless the environment says another', () => {
    expect(storeClient({})).toEqual({ clientId: 'store', clientSecret: 'store-development-secret' })
    expect(storeClient({ PAYMENTS_STORE_CLIENT_ID: 'shop', PAYMENTS_STORE_CLIENT_SECRET: 'x' })).toEqual({
      clientId: 'shop',
      clientSecret: 'x',
    })
  })

  it('is not there in production unless it is set, and never with a secret that can be guessed', () => {
    expect(storeClient({ NODE_ENV: 'production' })).toBeUndefined()
    expect(storeClient(production)).toBeUndefined()
    for (const secret of ['store-development-secret', 'x'.repeat(31)]) {
      expect(() => storeClient({ ...production, PAYMENTS_STORE_CLIENT_SECRET: secret })).toThrow(/32 characters/)
    }
    const clientSecret = 'x'.repeat(32)
    expect(storeClient({ ...production, PAYMENTS_STORE_CLIENT_SECRET: clientSecret })).toEqual({
      clientId: 'shop',
      clientSecret,
    })
  })
})

describe('the switches', () => {
  it('are on where that is said, and refused in production', () => {
    expect(switchesAreOn({})).toBe(false)
    expect(switchesAreOn({ PAYMENTS_SWITCHES: 'yes' })).toBe(false)
    expect(switchesAreOn({ PAYMENTS_SWITCHES: 'on' })).toBe(true)
    expect(() => switchesAreOn({ PAYMENTS_SWITCHES: 'on', NODE_ENV: 'production' })).toThrow(/refused in production/)
  })
})

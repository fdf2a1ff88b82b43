import { describe, expect, it } from 'vitest'
import { silentLog } from '../store/provider.ts'
import { StoreError } from '../store/store-error.ts'
import { ownStores, storeFailed } from './open-stores.ts'

describe('a database that cannot be reached at the start', () => {
  it('is named by the variables that lead to it', async () => {
    const env = { TRESTLE_STORE_ORDERS_URL: 'postgresql://127.0.0.1:1/orders', TRESTLE_STORE_CARTS_URL: '' }
    const stores = ownStores({ dataDir: '/nowhere', env, log: silentLog, progress() {} })
    await expect(stores.connectionsFor([{ service: 'orders' }])).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringMatching(/cannot be reached: .*; check TRESTLE_STORE_ORDERS_URL$/),
    })
    await stores.close()
  })

  it('is said to be busy where it is the embedded one: there is no variable to look at', () => {
    const { message } = storeFailed(
      new StoreError('unavailable', 'The database cannot be reached: timeout expired'),
      [],
    )
    expect(message).toMatch(/timeout expired; it is the embedded PostgreSQL, .* start again/)
    expect(message).not.toContain('TRESTLE_')
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { chooseProvider } from '../choose-provider.ts'
import { defaultLimits } from '../connection/connections.ts'
import { PgConnection } from '../connection/pg-connection.ts'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { type StoreFixture, startStoreFixture } from '../fixtures/store-fixture.ts'
import { databaseName } from './database-names.ts'
import { serverPostgres } from './server-postgres.ts'
import { serviceUrls, serviceUrlVariable } from './service-urls.ts'

// The server by URL is the embedded one, of which we use no more than an administrator who is no superuser.
let fixture: StoreFixture
let adminUrl: string

async function ask(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const connection = await PgConnection.open({ ...defaultLimits, url, applicationName: 'test', clock: systemClock })
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = (await connection.command(statement)).rows
    return rows
  } finally {
    await connection.end()
  }
}

beforeAll(async () => {
  fixture = await startStoreFixture({ connectionsMax: 60 })
  await ask(
    fixture.provider.adminUrl(),
    `create role manager login createdb createrole password 'a b/ü'`,
    'grant connect on database postgres to manager',
  )
  const url = new URL(fixture.provider.adminUrl())
  url.username = 'manager'
  url.password = 'a b/ü'
  adminUrl = url.href
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('a server by URL', () => {
  it('gets a database and a role for each service, which cannot enter the others', async () => {
    const provider = await serverPostgres({ url: adminUrl, prefix: 'shop-' })
    const [orders, carts] = [await provider.connectionFor('orders'), await provider.connectionFor('carts')]
    expect(await ask(orders.url, 'select current_database() as db, current_user as role')).toEqual([
      { db: 'shop-orders', role: 'shop-orders' },
    ])
    const foreign = new URL(orders.url)
    foreign.pathname = new URL(carts.url).pathname
    await expect(ask(foreign.href, 'select 1')).rejects.toMatchObject({ cause: { code: '42501' } })
    const store = openStore(postgres({ migrations: fixture.migrations({ '0001-a.sql': 'create table a ()' }) }), orders)
    expect(await store.migrate()).toEqual({ applied: ['0001-a.sql'] })
    await store.close()
  })

  it('answers every machine the same, also those that ask at once', async () => {
    const providers = await Promise.all([1, 2, 3].map(() => serverPostgres({ url: adminUrl })))
    const urls = await Promise.all(providers.map((provider) => provider.connectionFor('together')))
    expect(new Set(urls.map(({ url }) => url)).size).toBe(1)
    expect(await ask(urls[0]?.url ?? '', 'select 1 as n')).toEqual([{ n: 1 }])
  })

  it('does not start when the pools exceed what it accepts, and says the numbers', async () => {
    const provider = await serverPostgres({ url: adminUrl })
    await provider.connectionFor('one', { poolMax: 20, processes: () => 2 })
    await expect(provider.connectionFor('two', { poolMax: 20 })).rejects.toMatchObject({
      code: 'pools_exceed_server',
      message: expect.stringMatching(/hold 60.*accepts 60 and 7 are reserved.*max_connections/),
    })
  })

  it('is refused without a password, without repeating what was given', async () => {
    const given = 'postgresql://manager@secret-host/postgres'
    await expect(serverPostgres({ url: given })).rejects.toMatchObject({
      code: 'store_config_invalid',
      message: expect.not.stringContaining('secret-host'),
    })
    await expect(serverPostgres({ url: 'mysql://a:b@c/d' })).rejects.toMatchObject({ code: 'store_config_invalid' })
  })
})

describe('a URL for each service', () => {
  it('is named by the service', () => {
    expect(serviceUrlVariable('price-lists')).toBe('TRESTLE_STORE_PRICE_LISTS_URL')
  })

  it('is used as it is, and its pools are counted by server', async () => {
    const { url } = await fixture.provider.connectionFor('named')
    const urls = serviceUrls({ TRESTLE_STORE_A_URL: url, TRESTLE_STORE_B_URL: url, TRESTLE_STORE_C_URL: '' })
    expect([urls.has('a'), urls.has('c')]).toEqual([true, false])
    expect(await urls.connectionFor('a', { poolMax: 30 })).toEqual({ url, poolMax: 30 })
    await expect(urls.connectionFor('b', { poolMax: 30 })).rejects.toMatchObject({ code: 'pools_exceed_server' })
  })

  it('comes before the server for all, and that before the embedded one, which is then not started', async () => {
    const { url } = await fixture.provider.connectionFor('named')
    const dataDir = '/nonexistent/never-made'
    const env = { TRESTLE_POSTGRES_URL: adminUrl, TRESTLE_STORE_A_URL: url }
    const both = await chooseProvider({ services: ['a', 'b'], env, dataDir, mode: 'own' })
    expect((await both.connectionFor('a')).url).toBe(url)
    expect(new URL((await both.connectionFor('b')).url).pathname).toBe('/b')
    expect(both.embedded).toBeUndefined()
    const named = await chooseProvider({ services: ['a'], env: { TRESTLE_STORE_A_URL: url }, dataDir, mode: 'own' })
    expect(named.description).toBe('a by URL')
    await Promise.all([both.close(), named.close()])
  })
})

describe('databaseName', () => {
  it.each(['', '1a', 'a b', 'a"b', 'pg_x', 'postgres', 'template1', 'trestle_admin', 'x'.repeat(49)])(
    'refuses %j',
    (name) => {
      expect(() => databaseName(name)).toThrow(expect.objectContaining({ code: 'store_config_invalid' }))
    },
  )
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { type StoreFixture, startStoreFixture } from '../fixtures/store-fixture.ts'
import type { OpenStore } from '../store.ts'

interface Tables {
  a: { id: number }
}

let fixture: StoreFixture
let services = 0
const open: OpenStore<Tables>[] = []

beforeAll(async () => {
  fixture = await startStoreFixture()
})
afterAll(async () => {
  await Promise.all(open.map((store) => store.close()))
  await fixture[Symbol.asyncDispose]()
})

/** Opens stores of one new service, each over one of the given sets of files. */
async function storesOf(...versions: Record<string, string>[]): Promise<OpenStore<Tables>[]> {
  services += 1
  const connection = await fixture.provider.connectionFor(`service${services}`, { poolMax: 2 })
  const stores = versions.map((files) =>
    openStore<Tables>(postgres<Tables>({ migrations: fixture.migrations(files) }), connection),
  )
  open.push(...stores)
  return stores
}

const one = { '0001-a.sql': 'create table a (id int primary key); insert into a values (1);' }

describe('migrations', () => {
  it('run once, in order, and say what they did', async () => {
    const files = { ...one, '0002-b.sql': 'insert into a values (2);' }
    const [store] = (await storesOf(files)) as [OpenStore<Tables>]
    expect(await store.migrate()).toEqual({ applied: ['0001-a.sql', '0002-b.sql'] })
    expect(await store.migrate()).toEqual({ applied: [] })
    expect(await store.db.selectFrom('a').selectAll().orderBy('id').execute()).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('run once although four replicas start together', async () => {
    const files = { ...one, '0002-b.sql': 'insert into a values (2);' }
    const stores = await storesOf(files, files, files, files)
    const results = await Promise.all(stores.map((store) => store.migrate()))
    expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual(['0001-a.sql', '0002-b.sql'])
  })

  it('leave nothing of a file that fails, keep those before it, and name it', async () => {
    const bad = { ...one, '0002-b.sql': 'insert into a values (2); insert into nowhere values (1);' }
    const [store, repaired] = (await storesOf(bad, { ...one, '0002-b.sql': 'insert into a values (3);' })) as [
      OpenStore<Tables>,
      OpenStore<Tables>,
    ]
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('0002-b.sql'),
    })
    expect(await store.db.selectFrom('a').selectAll().execute()).toEqual([{ id: 1 }])
    expect(await repaired.migrate()).toEqual({ applied: ['0002-b.sql'] })
  })

  it('refuse a file that was changed after it ran', async () => {
    const [first, changed] = (await storesOf(one, { '0001-a.sql': `${one['0001-a.sql']} -- later` })) as [
      OpenStore<Tables>,
      OpenStore<Tables>,
    ]
    await first.migrate()
    await expect(changed.migrate()).rejects.toMatchObject({
      code: 'migration_changed',
      details: { file: '0001-a.sql' },
    })
  })

  it('do not mind the line ends of another system', async () => {
    const [first, windows] = (await storesOf(
      { '0001-a.sql': 'select 1;\nselect 2;\n' },
      { '0001-a.sql': 'select 1;\r\nselect 2;\r\n' },
    )) as [OpenStore<Tables>, OpenStore<Tables>]
    await first.migrate()
    expect(await windows.migrate()).toEqual({ applied: [] })
  })

  it('refuse a file that commits by itself', async () => {
    const [store] = (await storesOf({ '0001-a.sql': 'create table a (id int); commit; begin;' })) as [OpenStore<Tables>]
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('COMMIT'),
    })
  })

  it('say what to do about a statement that cannot run in a transaction', async () => {
    const [store] = (await storesOf({ '0001-a.sql': 'vacuum' })) as [OpenStore<Tables>]
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('runs in a transaction'),
    })
  })
})

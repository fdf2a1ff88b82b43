import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insideTransaction } from '../std/transaction-scope.ts'
import { sql } from './index.ts'
import { type OpenStoreDeps, openStore } from './open-store.ts'
import { postgres } from './postgres.ts'
import { eventually, type StoreFixture, startStoreFixture } from './fixtures/store-fixture.ts'
import type { OpenStore, StoreConnection } from './store.ts'

interface Tables {
  items: { id: number; note: string | null }
  links: { item_id: number }
}

const schema = `
create table items (id int primary key, note text);
create table links (item_id int references items deferrable initially deferred);
create sequence numbers;
`

let fixture: StoreFixture
let connection: StoreConnection
let store: OpenStore<Tables>
const others: OpenStore<Tables>[] = []
let ids = 0
const nextId = () => (ids += 1)

function openAnother(deps: OpenStoreDeps = {}, poolMax = 2): OpenStore<Tables> {
  const other = openStore<Tables>(postgres<Tables>({ migrations: migrations() }), { ...connection, poolMax }, deps)
  others.push(other)
  return other
}

let migrationsUrl: URL
const migrations = () => migrationsUrl
const has = async (id: number) =>
  (await store.db.selectFrom('items').selectAll().where('id', '=', id).execute()).length === 1

async function activeOf(name: string): Promise<number | undefined> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from pg_stat_activity where application_name = ${name} and state = 'active'`.execute(
    store.db,
  )
  return rows[0]?.n
}

beforeAll(async () => {
  fixture = await startStoreFixture()
  migrationsUrl = fixture.migrations({ '0001-items.sql': schema })
  connection = await fixture.provider.connectionFor('items', { poolMax: 60 })
  store = openAnother({}, 8)
  await store.migrate()
})
afterAll(async () => {
  await Promise.all(others.map((other) => other.close()))
  await fixture[Symbol.asyncDispose]()
})

const next = () => sql<{ n: string }>`select nextval('numbers') as n`.execute(store.db)

describe('store.db', () => {
  it('reads and writes single statements', async () => {
    const id = nextId()
    const { numInsertedOrUpdatedRows } = await store.db
      .insertInto('items')
      .values({ id, note: 'a' })
      .executeTakeFirstOrThrow()
    expect(numInsertedOrUpdatedRows).toBe(1n)
    expect(await store.db.selectFrom('items').select('note').where('id', '=', id).executeTakeFirst()).toEqual({
      note: 'a',
    })
  })

  it('runs a select that writes on a connection that may write, the first time and the second', async () => {
    expect(Number((await next()).rows[0]?.n)).toBe(1)
    expect(Number((await next()).rows[0]?.n)).toBe(2)
  })

  it('tells who watches it of each statement that writes, and of no other', async () => {
    const told: string[] = []
    let doing = ''
    const db = store.watchedDb((write) => {
      told.push(doing)
      return write()
    })
    const as = (name: string, query: { execute(db: typeof store.db): Promise<unknown> }) => {
      doing = name
      return query.execute(db)
    }
    await as('read', sql`select count(*) from items`)
    await as('write', sql`insert into items values (${nextId()}, 'a')`)
    await as('failing write', sql`insert into nowhere values (1)`).catch(() => {})
    await as('writing read', sql`select nextval('numbers'), 1 as first`)
    await as('writing read again', sql`select nextval('numbers'), 1 as first`)
    await as('read again', sql`select 1`)
    expect(told).toEqual(['write', 'failing write', 'writing read', 'writing read again'])
  })

  it('reads go on while slow reads occupy every shared connection', async () => {
    const name = 'slow'
    const slow = openAnother({ applicationName: name, limits: { sharedStalledAfterMs: 0 } })
    const held = Promise.allSettled([sql`select pg_sleep(30)`.execute(slow.db)])
    await eventually(async () => (await activeOf(name)) === 1)
    await expect(slow.db.selectFrom('items').select('id').limit(1).execute()).resolves.toBeDefined()
    await sql`select pg_cancel_backend(pid) from pg_stat_activity where application_name = ${name}`.execute(store.db)
    expect(await held).toMatchObject([{ reason: { code: '57014' } }])
  })

  it('refuses what would change a shared session', async () => {
    await expect(sql`set search_path = elsewhere`.execute(store.db)).rejects.toMatchObject({
      code: 'store_config_invalid',
    })
    await expect(sql`begin`.execute(store.db)).rejects.toMatchObject({ code: 'store_config_invalid' })
    await expect(store.db.transaction().execute(() => Promise.resolve())).rejects.toMatchObject({
      code: 'nested_transaction',
    })
  })

  it('fails one statement of a pipeline without its neighbours', async () => {
    const id = nextId()
    await store.db.insertInto('items').values({ id, note: 'x' }).execute()
    const read = () => store.db.selectFrom('items').select('note').where('id', '=', id).execute()
    const results = await Promise.allSettled([
      read(),
      sql`select 1 / 0`.execute(store.db),
      read(),
      sql`select nonsense`.execute(store.db),
      read(),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: '22012' } })
    expect(results[3]).toMatchObject({ reason: { code: '42703' } })
  })

  it('fails with an error whose fields, as a log lists them, hold no values of rows', async () => {
    const id = nextId()
    const insert = () => store.db.insertInto('items').values({ id, note: 'hunter2' }).execute()
    await insert()
    const error: unknown = await insert().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: '23505', constraint: 'items_pkey' })
    expect((error as { detail: string }).detail).toContain(`(${id})`)
    expect(Object.keys(error as object)).not.toContain('detail')
    expect(JSON.stringify(error)).toContain('items_pkey')
  })

  it('survives values that cannot be written', async () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    const bad = () => sql`select ${loop}::jsonb as a`.execute(store.db)
    await sql`select ${{ a: 1 }}::jsonb as a`.execute(store.db)
    await expect(bad()).rejects.toThrow(/circular/i)
    expect((await sql<{ a: unknown }>`select ${{ a: 2 }}::jsonb as a`.execute(store.db)).rows).toEqual([
      { a: { a: 2 } },
    ])
  })

  it('keeps more different statements apart than it may name', async () => {
    const few = openAnother({ limits: { statementNamesMax: 3 } })
    const ask = (n: number) => sql<{ n: number }>`select ${sql.lit(n)}::int as n`.execute(few.db)
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)))
      expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 10 }, (_, n) => n))
    }
    // A shared connection sees its own list; all but the latest were deallocated.
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_prepared_statements`.execute(few.db)
    expect(rows[0]?.n).toBeLessThanOrEqual(3)
  })

  it('reads on after a migration changed the columns of a prepared select', async () => {
    const id = nextId()
    await store.db.insertInto('items').values({ id, note: null }).execute()
    const read = () => sql<object>`select * from items where id = ${id}`.execute(store.db)
    const write = () => sql<object>`update items set note = note where id = ${id} returning *`.execute(store.db)
    await Promise.all([read(), read(), write(), write()])
    await sql`alter table items add column added int default 7`.execute(store.db)
    expect((await read()).rows[0]).toHaveProperty('added', 7)
    expect((await write()).rows[0]).toHaveProperty('added', 7)
    await sql`alter table items drop column added`.execute(store.db)
    expect((await read()).rows[0]).not.toHaveProperty('added')
  })
})

describe('store.transaction', () => {
  it('commits what the work wrote and returns its value', async () => {
    const id = nextId()
    const value = await store.transaction(async (tx) => {
      await tx.db.insertInto('items').values({ id, note: null }).execute()
      return 'done'
    })
    expect([value, await has(id)]).toEqual(['done', true])
  })

  it('rolls back when the work rejects, and passes its error on', async () => {
    const id = nextId()
    const failure = new Error('no')
    const work = store.transaction(async (tx) => {
      await tx.db.insertInto('items').values({ id, note: null }).execute()
      throw failure
    })
    await expect(work).rejects.toBe(failure)
    expect(await has(id)).toBe(false)
  })

  it('is no commit when a statement failed, although the work caught its error', async () => {
    const id = nextId()
    const work = store.transaction(async (tx) => {
      await tx.db.insertInto('items').values({ id, note: null }).execute()
      await sql`select 1 / 0`.execute(tx.db).catch(() => undefined)
      return 'all is well'
    })
    await expect(work).rejects.toMatchObject({ code: '22012' })
    expect(await has(id)).toBe(false)
  })

  it('reports the first error of a pipeline, not those that follow from it', async () => {
    const id = nextId()
    const work = store.transaction(async (tx) => {
      const failing = sql`select 1 / 0`.execute(tx.db)
      const following = tx.db.insertInto('items').values({ id, note: null }).execute()
      failing.catch(() => undefined)
      await following
    })
    await expect(work).rejects.toMatchObject({ code: '22012' })
  })

  it('reports what a deferred constraint says to the commit, and the connection goes on', async () => {
    const work = store.transaction((tx) => tx.db.insertInto('links').values({ item_id: -1 }).execute())
    await expect(work).rejects.toMatchObject({ code: '23503' })
    await expect(store.transaction((tx) => tx.db.selectFrom('links').selectAll().execute())).resolves.toEqual([])
  })

  it('refuses a second one inside, writes past it, and its db afterwards', async () => {
    let leaked: (() => Promise<unknown>) | undefined
    await store.transaction(async (tx) => {
      expect(insideTransaction()).toBe(true)
      leaked = () => tx.db.selectFrom('items').selectAll().execute()
      await expect(store.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'nested_transaction' })
      await expect(store.db.insertInto('items').values({ id: nextId(), note: null }).execute()).rejects.toMatchObject({
        code: 'nested_transaction',
      })
      await expect(store.db.selectFrom('items').selectAll().limit(1).execute()).resolves.toBeDefined()
    })
    await expect(leaked?.()).rejects.toThrow('over')
  })

  it('streams rows in batches', async () => {
    const from = (ids += 1_000) - 999
    await sql`insert into items select n, 'streamed' from generate_series(${from}::int, ${ids}::int) n`.execute(
      store.db,
    )
    const sum = await store.transaction(async (tx) => {
      let seen = 0
      for await (const { id } of tx.db.selectFrom('items').selectAll().where('note', '=', 'streamed').stream(100))
        seen += id
      return seen
    })
    expect(sum).toBe((from + ids) * 500)
    const outside = async () => {
      for await (const row of store.db.selectFrom('items').selectAll().stream(1)) expect(row).toBe('refused')
    }
    await expect(outside()).rejects.toMatchObject({ code: 'store_config_invalid' })
  })

  it('runs again after it lost, only as often as it may', async () => {
    const [a, b] = [nextId(), nextId()]
    await store.db
      .insertInto('items')
      .values([
        { id: a, note: '0' },
        { id: b, note: '0' },
      ])
      .execute()
    const add = (retries: number) =>
      store.transaction(
        async (tx) => {
          const { note } = await tx.db.selectFrom('items').select('note').where('id', '=', a).executeTakeFirstOrThrow()
          await tx.db
            .updateTable('items')
            .set({ note: String(Number(note) + 1) })
            .where('id', '=', a)
            .execute()
        },
        { isolation: 'serializable', retries },
      )
    await Promise.all(Array.from({ length: 6 }, () => add(50)))
    expect(await store.db.selectFrom('items').select('note').where('id', '=', a).executeTakeFirst()).toEqual({
      note: '6',
    })
    const once = await Promise.allSettled(Array.from({ length: 6 }, () => add(0)))
    const lost = once.filter(({ status }) => status === 'rejected')
    expect(lost.length).toBeGreaterThan(0)
    for (const result of lost) expect(result).toMatchObject({ reason: { code: 'overloaded' } })
  })

  it('is cut off and rolled back when it takes longer than it may', async () => {
    const id = nextId()
    const work = store.transaction(
      async (tx) => {
        await tx.db.insertInto('items').values({ id, note: null }).execute()
        await sql`select pg_sleep(30)`.execute(tx.db)
      },
      { timeoutMs: 100 },
    )
    await expect(work).rejects.toMatchObject({ code: 'overloaded' })
    expect(await has(id)).toBe(false)
  })

  it.each([
    ['disk_full', '53100'],
    ['io_error', '58030'],
    ['read_only_sql_transaction', '25006'],
  ])('says of a server that cannot work (%s) that it is unavailable, whatever was asked', async (_, code) => {
    const ill = sql.raw(`do $$ begin raise exception 'no room' using errcode = '${code}'; end $$`)
    const said = { name: 'StoreError', code: 'unavailable', message: expect.stringContaining('no room') }
    await expect(store.transaction((tx) => ill.execute(tx.db))).rejects.toMatchObject(said)
    await expect(ill.execute(store.db)).rejects.toMatchObject(said)
  })

  it('gives its connection back although the work never ends', async () => {
    const small = openAnother()
    const hanging = small.transaction(() => new Promise<never>(() => undefined), { timeoutMs: 50 })
    await expect(hanging).rejects.toMatchObject({ code: 'overloaded', message: expect.stringContaining('50 ms') })
    await expect(small.transaction(() => Promise.resolve(1))).resolves.toBe(1)
  })

  it('is told that it can be repeated when a table changed under a prepared statement', async () => {
    const small = openAnother()
    const read = () => small.transaction((tx) => sql`select * from links`.execute(tx.db))
    await read()
    await sql`alter table links add column added int`.execute(store.db)
    await expect(read()).rejects.toMatchObject({ code: 'unavailable', cause: { code: '0A000' } })
    await expect(read()).resolves.toBeDefined()
  })

  it('has a time limit in the database too', async () => {
    const { rows } = await sql<{ transaction_timeout: string }>`show transaction_timeout`.execute(store.db)
    expect(rows).toEqual([{ transaction_timeout: '30s' }])
  })
})

describe('a pool', () => {
  it('lets no more wait than it may, nor longer', async () => {
    const small = openAnother({ limits: { waitTimeoutMs: 500, waitingMax: 1 } })
    const release = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    const holder = small.transaction(() => {
      began.resolve()
      return release.promise
    })
    await began.promise
    const waiting = small.transaction(() => Promise.resolve())
    const tooMany = small.transaction(() => Promise.resolve())
    await expect(tooMany).rejects.toMatchObject({ code: 'overloaded', message: expect.stringContaining('wait') })
    await expect(waiting).rejects.toMatchObject({ code: 'overloaded', message: expect.stringContaining('500 ms') })
    release.resolve()
    await holder
    await expect(small.transaction(() => Promise.resolve(1))).resolves.toBe(1)
  })

  it('holds no more connections than it may', async () => {
    const name = 'counted'
    const counted = openAnother({ applicationName: name }, 4)
    await Promise.all(
      Array.from({ length: 40 }, () =>
        counted.transaction((tx) => tx.db.selectFrom('items').selectAll().limit(1).execute()),
      ),
    )
    await Promise.all(Array.from({ length: 40 }, () => counted.db.selectFrom('items').selectAll().limit(1).execute()))
    const { rows } = await sql<{
      n: number
    }>`select count(*)::int as n from pg_stat_activity where application_name = ${name}`.execute(store.db)
    expect(rows[0]?.n).toBeGreaterThan(1)
    expect(rows[0]?.n).toBeLessThanOrEqual(4)
  })

  it('serves on after its connections were cut, and says what became of each statement', async () => {
    const name = 'cut'
    const cut = openAnother({ applicationName: name })
    const kill = () =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`.execute(store.db)
    const read = sql`select pg_sleep(30)`.execute(cut.db)
    const write = sql`insert into items select 1000000, pg_sleep(30)::text`.execute(cut.db)
    const settled = Promise.allSettled([read, write])
    await eventually(async () => (await activeOf(name)) === 2)
    await kill()
    expect(await settled).toMatchObject([{ reason: { code: 'unavailable' } }, { reason: { code: 'outcome_unknown' } }])
    await expect(cut.ping()).resolves.toBeUndefined()
    await expect(cut.transaction(() => Promise.resolve(1))).resolves.toBe(1)
    const inside = cut.transaction(async (tx) => {
      await tx.db.selectFrom('items').selectAll().limit(1).execute()
      await kill()
      await tx.db.insertInto('items').values({ id: nextId(), note: null }).execute()
    })
    await expect(inside).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('refuses a server that is not there', async () => {
    const away = openStore<Tables>(postgres<Tables>({ migrations: migrations() }), {
      url: 'postgresql://a:b@127.0.0.1:1/a',
      poolMax: 2,
    })
    await expect(away.ping()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(away.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'unavailable' })
    await away.close()
  })

  it('closes after what it lent came back, and refuses afterwards', async () => {
    const closing = openAnother()
    const id = nextId()
    const began = Promise.withResolvers<void>()
    const work = closing.transaction(async (tx) => {
      await tx.db.insertInto('items').values({ id, note: null }).execute()
      began.resolve()
      await tx.db.selectFrom('items').selectAll().execute()
    })
    await began.promise
    await closing.close()
    await work
    expect(await has(id)).toBe(true)
    await expect(closing.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'unavailable' })
    await expect(closing.ping()).rejects.toMatchObject({ code: 'unavailable' })
  })
})

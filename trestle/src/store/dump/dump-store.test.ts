import { Readable, Writable } from 'node:stream'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RawBuilder } from 'kysely'
import { sql } from '../index.ts'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { type StoreFixture, startStoreFixture } from '../fixtures/store-fixture.ts'
import type { OpenStore, StoreConnection } from '../store.ts'
import { dumpStore } from './dump-store.ts'
import { loadStore, resetStore } from './load-store.ts'

interface Tables {
  parent: { id: number; text: string | null; bytes: Buffer | null; data: unknown }
  'a child': { id: number; parent_id: number }
}

// The child's name comes first in the order of loading, before what it refers to.
const schema = `
create schema extra;
create table parent (
  id int primary key, text text, bytes bytea, data jsonb, twice int generated always as (id * 2) stored
);
create table "a child" (
  id int generated always as identity primary key, parent_id int not null references parent
);
create table extra.parts (id int, day date) partition by list (id);
create table extra.parts_1 partition of extra.parts for values in (1);
create materialized view counts as select count(*)::int as n from parent;
create table audit (what text);
create function note() returns trigger language plpgsql as $$ begin insert into audit values ('insert'); return new; end $$;
create trigger audited after insert on parent for each row execute function note();
create function keep() returns trigger language plpgsql as $$ begin raise exception 'audit stays'; end $$;
create trigger stays before update or delete or truncate on audit for each statement execute function keep();
insert into parent (id, text) values (-1, 'from the migration');
`

let fixture: StoreFixture
let connection: StoreConnection
let store: OpenStore<Tables>

beforeAll(async () => {
  fixture = await startStoreFixture()
  connection = await fixture.provider.connectionFor('dumped')
  store = openStore<Tables>(
    postgres<Tables>({ migrations: fixture.migrations({ '0001-all.sql': schema }) }),
    connection,
  )
  await store.migrate()
})
afterAll(async () => {
  await store.close()
  await fixture[Symbol.asyncDispose]()
})

async function dump(from = connection): Promise<Buffer> {
  const chunks: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await dumpStore(from, 'dumped', sink)
  return Buffer.concat(chunks)
}

/** In pieces, so that lines and bytes are cut anywhere. */
function piecesOf(bytes: Buffer, size: number): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
  )
}

/** A dump but for the moment it was made, and for the epoch of events, which rises with each load. */
const contentOf = (dumped: Buffer) =>
  dumped
    .toString('latin1')
    .replace(/"at":"[^"]*"/, '')
    .replace(/\{"table":\{"name":\["trestle","feed"\].*?\{"rows":1\}/s, '')
    .replace(/"sha256":"[^"]*"/, '')

describe('a dump', () => {
  it('brings everything back as it was, whatever is in it', async () => {
    const text = fc.option(fc.string({ unit: fc.constantFrom('\\', '\n', '\t', '\r', '.', 'é', '😀', 'N', '"', "'") }))
    const row = fc.record({ text, bytes: fc.option(fc.uint8Array({ maxLength: 50 })), data: fc.option(fc.jsonValue()) })
    const cases = fc.record({ rows: fc.array(row, { maxLength: 20 }), size: fc.integer({ min: 1, max: 300 }) })
    const target = await fixture.provider.connectionFor('copy')
    await fc.assert(
      fc.asyncProperty(cases, async ({ rows, size }) => {
        await sql`truncate parent restart identity cascade`.execute(store.db)
        await store.transaction(async (tx) => {
          for (const [id, { data, bytes, ...values }] of rows.entries()) {
            // JSON text in PostgreSQL holds no NUL.
            const json = data === null ? null : JSON.stringify(data).replaceAll('\\u0000', '')
            await tx.db
              .insertInto('parent')
              .values({ id, ...values, bytes: bytes === null ? null : Buffer.from(bytes), data: json })
              .execute()
            await sql`insert into "a child" (parent_id) values (${id})`.execute(tx.db)
          }
        })
        const before = await dump()
        await loadStore(target, piecesOf(before, size))
        expect(contentOf(await dump(target))).toBe(contentOf(before))
      }),
      { numRuns: 8 },
    )
  }, 60_000)

  it('loads over what is there: keys, counters, triggers, views and migrations work on', async () => {
    await sql`truncate parent restart identity cascade`.execute(store.db)
    await sql`insert into extra.parts values (1, '2026-01-01')`.execute(store.db)
    await store.db
      .insertInto('parent')
      .values([1, 2, 3].map((id) => ({ id, text: 'x', bytes: null, data: null })))
      .execute()
    await sql`insert into "a child" (parent_id) values (1), (2)`.execute(store.db)
    const dumped = await dump()
    await sql`truncate parent cascade`.execute(store.db)
    expect(await loadStore(connection, Readable.from([dumped]))).toMatchObject({ service: 'dumped' })
    expect(await store.migrate()).toEqual({ applied: [] })
    const first = <T>(text: RawBuilder<T>) => text.execute(store.db).then(({ rows }) => rows)
    expect(await first(sql`select id, twice from parent order by id`)).toEqual(
      [1, 2, 3].map((id) => ({ id, twice: id * 2 })),
    )
    expect(await first(sql`select n from counts`)).toEqual([{ n: 3 }])
    expect(await first(sql`select id from extra.parts`)).toEqual([{ id: 1 }])
    expect(await first(sql`insert into "a child" (parent_id) values (3) returning id`)).toEqual([{ id: 3 }])
    await expect(first(sql`insert into "a child" (parent_id) values (99)`)).rejects.toMatchObject({ code: '23503' })
    const audits = async () => Number((await first(sql<{ n: string }>`select count(*) as n from audit`))[0]?.n)
    const before = await audits()
    await store.db.insertInto('parent').values({ id: 4, text: null, bytes: null, data: null }).execute()
    expect(await audits()).toBe(before + 1)
  })

  it('that is cut off or changed anywhere leaves everything as it was', async () => {
    await sql`truncate parent restart identity cascade`.execute(store.db)
    await store.db.insertInto('parent').values({ id: 1, text: 'keep', bytes: null, data: null }).execute()
    const dumped = await dump()
    const before = contentOf(dumped)
    const lastLine = dumped.lastIndexOf('\n', dumped.length - 2) + 1
    const cuts = [0, 10, Math.floor(dumped.length / 2), lastLine, dumped.length - 2]
    const damaged = [
      ...cuts.map((at) => dumped.subarray(0, at)),
      Buffer.concat([dumped, Buffer.from('more')]),
      Buffer.from(dumped.toString('latin1').replace('\tkeep\t', '\tKEEP\t'), 'latin1'),
      Buffer.from(dumped.toString('latin1').replace('create schema extra', 'create schema Extra'), 'latin1'),
      Buffer.from('{"something":"else"}\n'),
    ]
    expect(damaged.every((bytes) => !bytes.equals(dumped))).toBe(true)
    for (const bytes of damaged) {
      await expect(loadStore(connection, piecesOf(bytes, 1_000))).rejects.toMatchObject({ code: 'dump_invalid' })
    }
    expect(contentOf(await dump())).toBe(before)
  })

  it('of many rows needs little memory, and waits for a slow reader', async () => {
    const large = await fixture.provider.connectionFor('large', { poolMax: 2 })
    const files = {
      '0001-l.sql': "create table l as select n, repeat('x', 1000) as t from generate_series(1, 20000) n;",
    }
    const filled = openStore(postgres({ migrations: fixture.migrations(files) }), large)
    await filled.migrate()
    await filled.close()
    let [written, mostWaiting] = [0, 0]
    const sink: Writable = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length
        mostWaiting = Math.max(mostWaiting, sink.writableLength)
        setImmediate(done)
      },
    })
    const { rows } = await dumpStore(large, 'large', sink)
    expect(rows).toBeGreaterThanOrEqual(20_000)
    expect(written).toBeGreaterThan(20_000_000)
    expect(mostWaiting).toBeLessThan(4_000_000)
  })
})

describe('a dump whose reader goes away', () => {
  it('ends with an error, not in silence', async () => {
    const text = { id: 1, text: 'y'.repeat(300_000), bytes: null, data: null }
    await sql`truncate parent cascade`.execute(store.db)
    await store.db.insertInto('parent').values(text).execute()
    const closing: Writable = new Writable({ write: () => void closing.destroy() })
    await expect(dumpStore(connection, 'dumped', closing)).rejects.toThrow('closed before it was complete')
    const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) })
    failing.on('error', () => undefined)
    await expect(dumpStore(connection, 'dumped', failing)).rejects.toThrow('disk full')
  })
})

describe('resetStore', () => {
  it('takes everything away, so that the migrations run again', async () => {
    await resetStore(connection)
    expect(await store.migrate()).toEqual({ applied: ['0001-all.sql'] })
    expect(await store.db.selectFrom('parent').select('id').execute()).toEqual([{ id: -1 }])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { onceWork } from '../../call/once-work.ts'
import { sql } from '../../store/index.ts'
import { bookService } from './fixtures/book.ts'
import { codeOf, type Replica, type Replicas, startReplicas } from './fixtures/replicas.ts'

let replicas: Replicas
beforeAll(async () => {
  replicas = await startReplicas()
})
afterAll(() => replicas[Symbol.asyncDispose]())

let tests = 0
let name = ''
let work = ''
beforeEach(() => {
  name = `undone ${++tests}`
  work = `step of ${name}`
})

/** The key of the first call that the work makes. */
const derived = (operation: string) => onceWork({ key: work, beganAtMs: 0 }).scope.keyFor(`book.${operation}`)
/** The call that undoes the work. */
const undo = (replica: Replica) =>
  replica.ask(
    'remove',
    { name },
    { key: onceWork({ key: `undo ${work}`, beganAtMs: 0 }).scope.keyFor('book.remove'), cancels: work },
  )

/** Ways to write: with a record or without, in a transaction or by a single statement, under any isolation. */
const ways = [
  { way: 'an operation with a key', operation: 'add', definition: bookService() },
  { way: 'a natural operation', operation: 'put', definition: bookService() },
  {
    way: 'a natural operation that writes by one statement',
    operation: 'put',
    definition: bookService({
      put: async ({ input, store }) => {
        await store.db
          .insertInto('entries')
          .values({ id: crypto.randomUUID(), ...input })
          .execute()
      },
    }),
  },
  ...(['repeatable read', 'serializable'] as const).flatMap((isolation) => [
    {
      way: `a natural operation under ${isolation}`,
      operation: 'put',
      definition: bookService({
        put: async ({ input, store }) => {
          await store.transaction(
            ({ db }) =>
              db
                .insertInto('entries')
                .values({ id: crypto.randomUUID(), ...input })
                .execute(),
            { isolation },
          )
        },
      }),
    },
    {
      way: `an operation with a key under ${isolation}`,
      operation: 'add',
      definition: bookService({
        add: ({ input, store, newId, now }) =>
          store.transaction(
            async ({ db }) => {
              const entry = { id: newId(), ...input }
              await db.insertInto('entries').values(entry).execute()
              return { ...entry, at: now() }
            },
            { isolation },
          ),
      }),
    },
  ]),
]

describe.each(ways)('a late call of $way', ({ operation, definition }) => {
  it('does nothing after the work was undone', async () => {
    const replica = replicas.start(definition)
    expect(codeOf(await undo(replica))).toBe('ok')
    const late = await replica.ask(operation, { name }, { key: derived(operation) })
    expect(late).toMatchObject({ problem: { code: 'idempotency_cancelled', status: 409 } })
    expect(await replicas.count(name)).toBe(0)
  })

  it('that came before is taken back, and stays so', async () => {
    const replica = replicas.start(definition)
    const call = () => replica.ask(operation, { name }, { key: derived(operation) })
    expect(codeOf(await call())).toBe('ok')
    expect(await replicas.count(name)).toBe(1)
    expect(codeOf(await undo(replica))).toBe('ok')
    await call()
    expect(await replicas.count(name)).toBe(0)
  })

  it('that runs while the work is undone never has an effect, whoever is first', async () => {
    const [one, other] = [replicas.start(definition), replicas.start(definition)]
    const seen = new Set<string>()
    for (let round = 0; round < 25; round += 1) {
      ;[name, work] = [`${name}.${round}`, `${work}.${round}`]
      const calls = [() => one.ask(operation, { name }, { key: derived(operation) }), () => undo(other)] as const
      const begun = round % 2 === 0 ? [calls[0](), calls[1]()] : [calls[1](), calls[0]()].toReversed()
      const [late, undone] = await Promise.all(begun)
      expect(undone === undefined ? '' : codeOf(undone)).toBe('ok')
      // Under the strictest isolation one of two that touch the same may have to give way.
      expect(['ok', 'idempotency_cancelled', 'overloaded']).toContain(late === undefined ? '' : codeOf(late))
      seen.add(late === undefined ? '' : codeOf(late))
      expect(await replicas.count(name)).toBe(0)
    }
    expect(seen.size).toBeGreaterThan(0)
  })
})

/** Holds a call between its writing and its commit. */
function held() {
  const [wrote, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const definition = bookService({
    put: async ({ input, store }) => {
      await store.transaction(async ({ db }) => {
        await db
          .insertInto('entries')
          .values({ id: crypto.randomUUID(), ...input })
          .execute()
        wrote.resolve()
        await go.promise
      })
    },
  })
  return { definition, wrote: wrote.promise, go: go.resolve }
}

/** Until so many sessions of this database wait for a lock. */
async function waiting(sessions: number): Promise<void> {
  const endMs = performance.now() + 20_000
  for (;;) {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_locks
      where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`.execute(replicas.store.db)
    if (rows[0]?.n === sessions) return
    if (performance.now() > endMs) throw new Error(`${rows[0]?.n} sessions wait, not ${sessions}`)
  }
}

describe('undoing', () => {
  it('does not wait for a call that has not come to its commit: that one fails there', async () => {
    const { definition, wrote, go } = held()
    const [one, other] = [replicas.start(definition), replicas.start(bookService())]
    const late = one.ask('put', { name }, { key: derived('put') })
    await wrote
    expect(codeOf(await undo(other))).toBe('ok')
    go()
    expect(codeOf(await late)).toBe('idempotency_cancelled')
    expect(await replicas.count(name)).toBe(0)
  })

  it.each(['add', 'put'])(
    'waits for a call of %s that is past its last check, and takes it back',
    async (operation) => {
      const lock = 4_711
      const [one, other] = [replicas.start(bookService()), replicas.start(bookService())]
      one.holdCommitsAt(lock)
      const [locked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const holding = replicas.store.transaction(async ({ db }) => {
        await sql`select pg_advisory_xact_lock(${lock})`.execute(db)
        locked.resolve()
        await go.promise
      })
      await locked.promise
      const late = one.ask(operation, { name }, { key: derived(operation) })
      await waiting(1)
      const undone = undo(other)
      await waiting(2)
      go.resolve()
      await holding
      expect([codeOf(await late), codeOf(await undone)]).toEqual(['ok', 'ok'])
      expect(await replicas.count(name)).toBe(0)
    },
  )

  it('lets calls of other work, of other callers and under keys of their own be', async () => {
    const replica = replicas.start(bookService())
    await undo(replica)
    const key = derived('put')
    expect(codeOf(await replica.ask('put', { name }, { key, caller: { kind: 'user', id: 'bob', scopes: [] } }))).toBe(
      'ok',
    )
    expect(codeOf(await replica.ask('put', { name }, { key: 'a key of its own' }))).toBe('ok')
    work = 'other work'
    expect(codeOf(await replica.ask('put', { name }, { key: derived('put') }))).toBe('ok')
  })

  it('reaches what was called by what the work called', async () => {
    const replica = replicas.start(bookService())
    await undo(replica)
    const within = onceWork({ key: 'of the service between', beganAtMs: 0, within: derived('put') })
    expect(codeOf(await replica.ask('put', { name }, { key: within.scope.keyFor('book.put') }))).toBe(
      'idempotency_cancelled',
    )
  })

  it('is written down before it begins: a process that ends in between leaves nothing that could come late', async () => {
    for (const point of ['once.before-cancel', 'once.after-cancel']) {
      ;[name, work] = [`${name} ${point}`, `${work} ${point}`]
      const [one, other] = [replicas.start(bookService()), replicas.start(bookService())]
      one.dieAt(point)
      await undo(one)
      expect(one.died()).toBe(true)
      await other.ask('put', { name }, { key: derived('put') })
      expect(await replicas.count(name)).toBe(point === 'once.before-cancel' ? 1 : 0)
      expect(codeOf(await undo(other))).toBe('ok')
      expect(await replicas.count(name)).toBe(0)
    }
  })
})

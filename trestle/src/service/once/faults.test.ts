import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { crashPoints } from '../../std/crash-points.ts'
import { bookService } from './fixtures/book.ts'
import { codeOf, isReplay, type Replicas, said, startReplicas } from './fixtures/replicas.ts'

let replicas: Replicas
beforeAll(async () => {
  replicas = await startReplicas()
})
afterAll(() => replicas[Symbol.asyncDispose]())

let tests = 0
let input = { name: '' }
beforeEach(() => {
  input = { name: `test ${++tests}` }
})
const count = () => replicas.count(input.name)
/** Longer than a lease. */
const leaseMs = 12_000
const keyed = Object.keys(crashPoints).filter((point) => /^once\.(?:before|after)-(?:claim|commit)$/.test(point))

describe('a process that ends in the middle of a request with a key', () => {
  it.each(keyed)('at %s: the same key gets its one effect and its one reply from another process', async (point) => {
    const [first, second] = [replicas.start(bookService()), replicas.start(bookService())]
    first.dieAt(point)
    await first.ask('add', input)
    expect(first.died()).toBe(true)
    const early = codeOf(await second.ask('add', input))
    const isClaimed = point === 'once.after-claim' || point === 'once.before-commit'
    expect(early).toBe(isClaimed ? 'idempotency_in_progress' : 'ok')
    replicas.pass(leaseMs)
    const [again, oncemore] = [await second.ask('add', input), await second.ask('add', input)]
    expect([codeOf(again), said(oncemore)]).toEqual(['ok', said(again)])
    expect(await count()).toBe(1)
  })

  it('does not keep the key for the hour by which the clock is put back', async () => {
    const [first, second] = [replicas.start(bookService()), replicas.start(bookService())]
    first.dieAt('once.after-claim')
    await first.ask('add', input)
    replicas.pass(-3_600_000)
    expect(codeOf(await second.ask('add', input))).toBe('ok')
    expect(await count()).toBe(1)
    replicas.pass(3_600_000)
  })

  it.each(['once.before-keep', 'once.after-keep'])('at %s: a failure that was declared stays one', async (point) => {
    const failing = bookService({ add: ({ fail }) => fail('closed', { since: 'monday' }) })
    const [first, second] = [replicas.start(failing), replicas.start(failing)]
    first.dieAt(point)
    await first.ask('add', input)
    expect(first.died()).toBe(true)
    if (point === 'once.before-keep') replicas.pass(leaseMs)
    expect([codeOf(await second.ask('add', input)), codeOf(await second.ask('add', input))]).toEqual([
      'closed',
      'closed',
    ])
  })
})

describe('a commit whose answer is lost', () => {
  it('is told as what it was: the reply is in the record', async () => {
    const replica = replicas.start(bookService())
    replica.lose('after the commit')
    const reply = await replica.ask('add', input)
    expect([codeOf(reply), isReplay(reply)]).toEqual(['ok', false])
    expect(said(await replica.ask('add', input))).toEqual(said(reply))
    expect(await count()).toBe(1)
  })

  it('that was none is told as not processed, and can be none any more: the key runs again at once', async () => {
    const replica = replicas.start(bookService())
    replica.lose('before the commit')
    expect(await replica.ask('add', input)).toMatchObject({ problem: { code: 'unavailable' } })
    expect(await count()).toBe(0)
    expect(codeOf(await replica.ask('add', input))).toBe('ok')
    expect(await count()).toBe(1)
  })

  it.each(['after the commit', 'before the commit'] as const)(
    '%s, with the database away too, is unknown',
    async (answer) => {
      const [first, second] = [replicas.start(bookService()), replicas.start(bookService())]
      first.lose(answer, 'away')
      expect(await first.ask('add', input)).toMatchObject({ problem: { code: 'outcome_unknown' } })
      replicas.pass(leaseMs)
      const again = await second.ask('add', input)
      expect([codeOf(again), isReplay(again)]).toEqual(['ok', answer === 'after the commit'])
      expect(await count()).toBe(1)
    },
  )
})

describe('a request that outlived its lease', () => {
  it('cannot commit when another process has taken it over, and answers what that one did', async () => {
    const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = bookService({
      add: ({ input: given, store, newId, now }) =>
        store.transaction(async ({ db }) => {
          const entry = { id: newId(), ...given }
          begun.resolve()
          await go.promise
          await db
            .insertInto('entries')
            .values({ ...entry, id: crypto.randomUUID() })
            .execute()
          return { ...entry, at: now() }
        }),
    })
    const [first, second] = [replicas.start(slow), replicas.start(bookService())]
    const late = first.ask('add', input)
    await begun.promise
    replicas.pass(leaseMs)
    const taken = await second.ask('add', input)
    go.resolve()
    const told = await late
    expect([codeOf(taken), said(told), isReplay(told)]).toEqual(['ok', said(taken), true])
    expect(await count()).toBe(1)
  })
})

describe('once-only work', () => {
  it('opens one transaction: a second one is an error, and the first is the reply', async () => {
    const twice = bookService({
      add: async ({ store, input: given, now }) => {
        const entry = { id: crypto.randomUUID(), ...given }
        const done = await store.transaction(async ({ db }) => {
          await db.insertInto('entries').values(entry).execute()
          return { ...entry, at: now() }
        })
        await store.transaction(async () => done)
        return done
      },
    })
    const replica = replicas.start(twice)
    expect(codeOf(await replica.ask('add', input))).toBe('ok')
    expect(replica.logged).toEqual(['book.add failed after its transaction had committed the reply'])
    expect([codeOf(await replica.ask('add', input)), await count()]).toEqual(['ok', 1])
  })

  it('writes nowhere else, and reads where it likes', async () => {
    let seen = -1
    const beside = bookService({
      add: async ({ store, input: given, now }) => {
        seen = (await store.db.selectFrom('entries').where('name', '=', given.name).selectAll().execute()).length
        const entry = { id: crypto.randomUUID(), ...given }
        if (given.amount === 2) await store.db.insertInto('entries').values(entry).execute()
        return store.transaction(async () => ({ ...entry, at: now() }))
      },
    })
    const replica = replicas.start(beside)
    expect(codeOf(await replica.ask('add', input))).toBe('ok')
    expect(codeOf(await replica.ask('add', { ...input, amount: 2 }, { key: `${input.name}, too` }))).toBe('internal')
    expect([seen, await count()]).toEqual([0, 0])
  })

  it('whose output is not what its contract says commits nothing', async () => {
    const wrong = bookService({
      add: ({ store, input: given }) =>
        store.transaction(async ({ db }) => {
          await db
            .insertInto('entries')
            .values({ id: crypto.randomUUID(), ...given })
            .execute()
          return { id: 7 } as never
        }),
    })
    expect(codeOf(await replicas.start(wrong).ask('add', input))).toBe('internal')
    expect(await count()).toBe(0)
    expect(codeOf(await replicas.start(bookService()).ask('add', input))).toBe('ok')
  })
})

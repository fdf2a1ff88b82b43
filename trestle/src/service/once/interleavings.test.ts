import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../../call/call.ts'
import { onceWork } from '../../call/once-work.ts'
import { bookService } from './fixtures/book.ts'
import { codeOf, type Replica, type Replicas, said, startReplicas } from './fixtures/replicas.ts'

let replicas: Replicas
let both: readonly Replica[]
beforeAll(async () => {
  replicas = await startReplicas()
  both = [replicas.start(bookService()), replicas.start(bookService())]
})
afterAll(() => replicas[Symbol.asyncDispose]())

/** Longer than a lease. */
const leaseMs = 12_000
const points = [
  'before-claim',
  'after-claim',
  'before-commit',
  'after-commit',
  'before-cancel',
  'after-cancel',
] as const

/** Requests that are sent at once, what goes wrong meanwhile, and whether the leases have run out before. */
const moment = record({
  asks: array(record({ replica: integer({ min: 0, max: 1 }), amount: constantFrom(1, 1, 1, 2) }), {
    minLength: 1,
    maxLength: 4,
  }),
  fault: constantFrom('none', 'the answer', 'the commit', ...points),
  faulty: integer({ min: 0, max: 1 }),
  leasesOver: constantFrom(true, false),
})
type Moment = typeof moment extends { generate: (...args: never[]) => { readonly value: infer T } } ? T : never

let runs = 0

/** What a moment's requests are answered. */
async function live(
  { fault, faulty, leasesOver }: Moment,
  requests: readonly (() => Promise<Reply>)[],
): Promise<Reply[]> {
  const victim = both[faulty] as Replica
  if (leasesOver) replicas.pass(leaseMs)
  if (fault === 'the answer') victim.lose('after the commit')
  else if (fault === 'the commit') victim.lose('before the commit')
  else if (fault !== 'none') victim.dieAt(`once.${fault}`)
  const replies = await Promise.all(requests.map((request) => request()))
  for (const replica of both) replica.revive()
  return replies
}

describe('whatever happens, and in which order', () => {
  it('a request with a key has one effect, and everybody is told the same of it', async () => {
    await assert(
      asyncProperty(array(moment, { minLength: 1, maxLength: 5 }), async (moments) => {
        const name = `run ${++runs}`
        const ask = (replica: number, amount: number) => () => (both[replica] as Replica).ask('add', { name, amount })
        const told: Reply[] = []
        for (const each of moments) {
          told.push(
            ...(await live(
              each,
              each.asks.map(({ replica, amount }) => ask(replica, amount)),
            )),
          )
        }
        replicas.pass(leaseMs)
        const ends = [await ask(0, 1)(), await ask(1, 2)()]
        const successes = [...told, ...ends].filter((reply) => reply.ok)
        expect(new Set(successes.map((reply) => JSON.stringify(said(reply)))).size).toBe(1)
        // One of the two inputs is the key's, the other is not.
        expect(ends.map(codeOf).toSorted()).toEqual(['idempotency_key_reused', 'ok'])
        expect(await replicas.count(name)).toBe(1)
      }),
      { numRuns: 40 },
    )
  }, 60_000)

  it('work that was undone has no effect in the end', async () => {
    await assert(
      asyncProperty(
        array(moment, { minLength: 1, maxLength: 4 }),
        integer({ min: 0, max: 3 }),
        async (moments, undoneAt) => {
          const [name, work] = [`undone ${++runs}`, `work ${runs}`]
          const { scope } = onceWork({ key: work, beganAtMs: 0 })
          const keys = { add: scope.keyFor('book.add'), put: scope.keyFor('book.put') }
          const undo = () => both[0]?.ask('remove', { name }, { key: `undo ${work}`, cancels: work }) as Promise<Reply>
          const asks = (each: Moment) =>
            each.asks.map(({ replica, amount }) => () => {
              const operation = amount === 1 ? 'add' : 'put'
              return (both[replica] as Replica).ask(operation, { name }, { key: keys[operation] })
            })
          let isUndone = false
          const left: number[] = []
          for (const [index, each] of moments.entries()) {
            const requests = index === undoneAt % moments.length ? [...asks(each), undo] : asks(each)
            const replies = await live(each, requests)
            // Whoever undoes repeats it until it has succeeded; only then nothing may come any more.
            if (requests.includes(undo)) isUndone = replies.at(-1)?.ok === true
            else if (!isUndone && index > undoneAt % moments.length) isUndone = (await undo()).ok
            if (isUndone) left.push(await replicas.count(name))
          }
          expect(left.every((entries) => entries === 0)).toBe(true)
          expect((await undo()).ok).toBe(true)
          expect(await replicas.count(name)).toBe(0)
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)
})

import { describe, expect, it } from 'vitest'
import type { Call, Interceptor } from '../../call/call.ts'
import { z } from 'zod'
import { contract, post, signedIn } from '../../contract/index.ts'
import { postgres } from '../../store/index.ts'
import { startServices } from '../../testing/start-services.ts'
import { implement } from '../implement.ts'
import { book, bookService } from './fixtures/book.ts'
import { alice } from './fixtures/replicas.ts'

/** Has two entries made by the book, and notes that. */
const desk = contract('desk', {
  version: '1.0.0',
  operations: {
    enter: post('/desk', {
      input: z.object({ name: z.string() }),
      output: z.object({ ids: z.array(z.string()) }),
      access: signedIn(),
      idempotent: 'key',
    }),
  },
})

const impl = implement(desk, {
  uses: { book },
  store: postgres<Record<never, never>>({ migrations: new URL('./fixtures/migrations/', import.meta.url) }),
})
const deskService = impl.service({
  handlers: {
    enter: async ({ input, call, store, newId, now, random }) => {
      // What is asked depends on what is drawn and on the time: a repetition asks the same nevertheless.
      const name = `${input.name} ${newId()} ${now()} ${random()}`
      const first = await call.book.add({ name })
      const second = await call.book.add({ name: input.name }, { key: `${input.name}, a key of its own` })
      await call.book.put({ name: input.name, amount: 2 })
      return store.transaction(async () => ({ ids: [first.id, second.id] }))
    },
  },
})

describe('the calls of a request with a key', () => {
  it('have one effect each, however often the request is begun', async () => {
    const calls: Call[] = []
    let failing = 'after'
    const intercept: Interceptor = async (call, next) => {
      if (call.contract !== book.id || call.operation === 'count') return next(call)
      calls.push(call)
      const reply = await next(call)
      if (failing === 'after' && call.operation === 'put') {
        failing = 'no more'
        throw new Error('the answer never came')
      }
      return reply
    }
    await using services = await startServices([deskService, bookService()], { intercept })
    const enter = () => services.client(desk, alice).enter({ name: 'a' }, { key: 'k' })
    await expect(enter()).rejects.toMatchObject({ name: 'CallError' })
    services.pass(3_000)
    const { ids } = await enter()
    expect(await enter()).toEqual({ ids })
    expect(calls.map((call) => call.operation)).toEqual(['add', 'add', 'put', 'add', 'add', 'put'])
    expect(calls.slice(3).map(({ key, input }) => ({ key, input }))).toEqual(
      calls.slice(0, 3).map(({ key, input }) => ({ key, input })),
    )
    expect(calls[0]?.key).toMatch(/^~/)
    expect(calls[1]?.key).toBe('a, a key of its own')
    const rows = await services
      .store<{ entries: { id: string; amount: number } }>('book')
      .db.selectFrom('entries')
      .select('id')
      .where('amount', '=', 1)
      .execute()
    expect(rows.map((row) => row.id).toSorted()).toEqual(ids.toSorted())
  })
})

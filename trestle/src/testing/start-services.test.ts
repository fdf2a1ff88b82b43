import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { command, contract } from '../contract/index.ts'
import { implement } from '../service/index.ts'
import counterService from '../system/fixtures/tiny/counter.ts'
import { counter } from '../system/fixtures/tiny/contracts.ts'
import { type StartedServices, startServices } from './start-services.ts'

const visits = contract('visits', {
  version: '1.0.0',
  operations: {
    visit: command({ output: z.object({ count: z.int(), at: z.number() }) }),
  },
})

const impl = implement(visits, { uses: { counter } })
const visitsService = impl.service({
  handlers: {
    visit: async ({ call, now }) => ({ count: (await call.counter.add({ name: 'visits' })).value, at: now() }),
  },
  jobs: [
    impl.every('1 hour', 'recount', async ({ call }) => void (await call.counter.set({ name: 'visits', value: 70 }))),
  ],
})

describe('services started for a test', () => {
  const asked: string[] = []
  let services: StartedServices
  beforeAll(async () => {
    services = await startServices([counterService, visitsService], {
      intercept: async (call, next) => {
        asked.push(`${call.from} ${call.contract} ${call.operation}`)
        return next(call)
      },
    })
  })
  afterAll(() => services[Symbol.asyncDispose]())

  it('are migrated, have run their start hooks and call each other, all of it seen by the test', async () => {
    expect((await services.client(counter).read({ name: 'first' })).value).toBe(1)
    expect((await services.client(visits).visit({})).count).toBe(1)
    expect(asked).toEqual(['operator counter@1 read', 'operator visits@1 visit', 'visits counter@1 add'])
    const db = services.store<{ counts: { name: string; value: number } }>('counter').db
    expect(await db.selectFrom('counts').select('value').where('name', '=', 'visits').execute()).toEqual([{ value: 1 }])
    expect(() => services.store('visits')).toThrow('no service visits with a store was started')
  })

  it('live in a time that the test can move, and run their jobs when it says so', async () => {
    const { at } = await services.client(visits).visit({})
    services.pass(86_400_000)
    expect((await services.client(visits).visit({})).at - at).toBeGreaterThanOrEqual(86_400_000)
    await services.runJob('visits', 'recount')
    expect((await services.client(visits).visit({})).count).toBe(71)
    await expect(services.runJob('visits', 'nothing')).rejects.toThrow('visits has no job nothing')
  })
})

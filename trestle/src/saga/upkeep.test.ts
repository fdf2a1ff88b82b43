import { CompiledQuery } from 'kysely'
import { describe, expect, it } from 'vitest'
import { transactionScope } from '../std/transaction-scope.ts'
import { sagaBench } from './fixtures/saga-bench.ts'
import { checkout, orders, waiting } from './fixtures/shop.ts'
import { forget } from './upkeep.ts'

const { signal } = new AbortController()

const many = `
insert into trestle.sagas (id, name, key, version, state, started_at, ended_at)
select gen_random_uuid(), 'checkout', $1 || n, 1, $2, $3::timestamptz, $4::timestamptz from generate_series(1, 2500) n`

const lines = `
insert into trestle.saga_steps (saga, n, action, outcome, at)
select id, 1, 'run', 'done', started_at from trestle.sagas where ended_at is not null`

describe('what is remembered of instances', () => {
  it('is forgotten however many there are: what ended long ago, and what came for those that never began', async () => {
    await using bench = await sagaBench([])
    await bench.query(many, ['old', 'done', '2030-01-01', '2030-01-02'])
    await bench.query(many, ['ended', 'done', '2030-01-01', '2030-01-04'])
    await bench.query(many, ['early', 'expected', '2030-01-02', null])
    await bench.query(many, ['awaited', 'expected', '2030-01-04', null])
    await bench.query(many, ['waits', 'waiting', '2030-01-01', null])
    await bench.query(lines)
    const days = 86_400_000
    await forget(bench.store, Date.UTC(2030, 0, 33), { keepEndedMs: 30 * days, keepEarlyMs: 30 * days, signal })
    const left = "select distinct regexp_replace(key, '[0-9]+', '') as key from trestle.sagas order by key"
    expect(await bench.query(left)).toEqual([{ key: 'awaited' }, { key: 'ended' }, { key: 'waits' }])
    expect(await bench.query('select count(*)::integer as n from trestle.saga_steps')).toEqual([{ n: 2_500 }])
  })

  it('is not forgotten when it begins at that moment', async () => {
    await using bench = await sagaBench([])
    await bench.query(many, ['early', 'expected', '2030-01-02', null])
    await bench.store.transaction(async ({ db }) => {
      await db.executeQuery(CompiledQuery.raw("update trestle.sagas set state = 'running' where key = 'early7'"))
      const limits = { keepEndedMs: 0, keepEarlyMs: 0, signal }
      await transactionScope.outside(() => forget(bench.store, Date.UTC(2030, 0, 33), limits))
    })
    expect(await bench.query('select key from trestle.sagas')).toEqual([{ key: 'early7' }])
  })

  it('is its key as long as it is remembered: its event begins no other', async () => {
    await using bench = await sagaBench([checkout])
    const order = { id: 'o1', total: 5 }
    await bench.deliver(orders.events.placed, order)
    await bench.settled()
    await bench.deliver(orders.events.placed, order)
    await bench.settled()
    expect(await bench.query('select state from trestle.sagas')).toEqual([{ state: 'done' }])
    await forget(bench.store, bench.clock.now() + 1, { keepEndedMs: 0, keepEarlyMs: 0, signal })
    await bench.deliver(orders.events.placed, order)
    await bench.settled()
    expect(bench.calls).toHaveLength(8)
  })
})

describe('an event for an instance that has ended', () => {
  it('is noted nowhere', async () => {
    await using bench = await sagaBench([waiting('before')])
    await bench.deliver(orders.events.placed, { id: 'o1', total: 5 })
    await bench.settled()
    await bench.store.transaction((tx) => waiting('before').cancel(tx, 'o1', 'asked for'))
    await bench.settled()
    const [before] = await bench.rows('trestle.sagas')
    const [awaited] = waiting('before').waits
    await bench.deliver(awaited as never, { id: 'o1', how: 'late' } as never)
    await bench.settled()
    expect(await bench.rows('trestle.sagas')).toEqual([{ ...before, state: 'undone', arrivals: {} }])
  })
})

import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { bookService } from './fixtures/book.ts'
import { codeOf, isReplay, startReplicas } from './fixtures/replicas.ts'
import { forget, startForgetting } from './forget.ts'

const hourMs = 60 * 60_000

describe('what is kept of requests', () => {
  it('is the reply for a day, and what was undone for thirty', async () => {
    await using replicas = await startReplicas()
    const replica = replicas.start(bookService())
    await replica.ask('add', { name: 'a' })
    await replica.ask('remove', { name: 'b' }, { cancels: 'work' })
    const rows = async () => {
      const sql = `select (select count(*)::int from trestle.once) as kept,
        (select count(*)::int from trestle.once_cancelled) as undone`
      const [row] = (await replicas.store.statement('read', sql, [])).rows
      return [row?.['kept'], row?.['undone']]
    }
    const now = Date.now()
    await forget(replicas.store, now + 23 * hourMs)
    expect(await rows()).toEqual([1, 1])
    expect(isReplay(await replica.ask('add', { name: 'a' }))).toBe(true)
    await forget(replicas.store, now + 25 * hourMs)
    expect(await rows()).toEqual([0, 1])
    expect(codeOf(await replica.ask('add', { name: 'a' }))).toBe('ok')
    expect(await replicas.count('a')).toBe(2)
    await forget(replicas.store, now + 31 * 24 * hourMs)
    expect(await rows()).toEqual([0, 0])
  })

  it('is forgotten by a thousand at a time', async () => {
    await using replicas = await startReplicas()
    const fill = `insert into trestle.once_cancelled select gen_random_uuid(), 0 from generate_series(1, $1)`
    await replicas.store.statement('write', fill, [1_500])
    expect([await forget(replicas.store, 1), await forget(replicas.store, 1)]).toEqual([true, false])
  })

  it('is looked through now and then, until that is stopped, also when the database is away', async () => {
    const clock = virtualClock()
    const asked: number[] = []
    const statement = (_kind: string, _sql: string, [atMs]: readonly unknown[]) => {
      asked.push(atMs as number)
      return Promise.reject(new Error('away'))
    }
    const began = clock.now()
    const forgetting = startForgetting({ statement }, { clock, random: () => 0.5 })
    await clock.advance(60_000)
    await clock.advance(60_000)
    await forgetting.stop()
    await clock.advance(600_000)
    expect(asked).toEqual([began + 60_000, began + 120_000])
  })

  it('is forgotten faster than requests can come, once there is much', async () => {
    const clock = virtualClock()
    let forgotten = 0
    const statement = (_kind: string, sql: string) => {
      const rowCount = sql.includes('trestle.once_cancelled') ? 0 : 1_000
      forgotten += rowCount
      return Promise.resolve({ command: 'DELETE', rows: [], rowCount })
    }
    const forgetting = startForgetting({ statement }, { clock, random: () => 0.5 })
    await clock.advance(60_000)
    await clock.advance(10_000)
    await forgetting.stop()
    expect(forgotten).toBeGreaterThan(10 * 5_000)
  })
})

import { describe, expect, it } from 'vitest'
import { gateway } from '../gateway/index.ts'
import { implement } from '../service/index.ts'
import { postgres } from '../store/index.ts'
import { runners, split } from '../testing/index.ts'
import type { TestSystem } from '../testing/test-system.ts'
import { ledger, till } from './fixtures/events/contracts.ts'
import { checkStreams } from './host/event-facts.ts'
import { oneProcess, run, system as define } from './index.ts'

const tills = new URL('./fixtures/events/system.ts', import.meta.url)

/** So many sales over some tills, a few in each transaction. */
async function sell(system: TestSystem, count: number, prefix = 's'): Promise<readonly string[]> {
  const sales = Array.from({ length: count }, (_, n) => ({ id: `${prefix}${n}`, till: `t${n % 5}`, cents: n }))
  for (let at = 0; at < count; at += 7) await system.client(till).sell({ sales: sales.slice(at, at + 7) })
  return sales.map(({ id }) => id)
}

async function bookOf(system: TestSystem) {
  return (await system.client(ledger).book({})).lines
}

/** Waits until each subscription has as many lines, or says what there is. */
async function booked(system: TestSystem, count: number) {
  await expect
    .poll(
      async () => {
        const lines = await bookOf(system).catch(() => [])
        const of = (by: string) => lines.filter((line) => line.by === by).length
        const thanked = await system
          .client(till)
          .thanked({})
          .catch(() => ({ ids: [] }))
        return { one: of('one'), many: of('many'), closed: of('closed'), thanked: thanked.ids.length }
      },
      { timeout: 50_000, interval: 50 },
    )
    .toEqual({ one: count, many: count, closed: count, thanked: count })
}

async function expectOnceInOrder(system: TestSystem, sold: readonly string[]) {
  const lines = await bookOf(system)
  for (const by of ['one', 'many', 'closed']) {
    const own = lines.filter((line) => line.by === by)
    expect(own.map(({ id }) => id).toSorted()).toEqual([...sold].toSorted())
    for (const of of new Set(own.map((line) => line.till))) {
      const numbers = own.filter((line) => line.till === of).map(({ id }) => Number(id.replaceAll(/\D/g, '')))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  }
}

describe.each(runners)('events of a system on the runner %s', (runner) => {
  it('are handled once, in the order of their keys, in the trace of their publisher, and can cause others', async () => {
    await using system = await runner.start(tills)
    const sold = await sell(system, 60)
    await booked(system, 60)
    await expectOnceInOrder(system, sold)
    const lines = await bookOf(system)
    const tracesOf = (id: string) => new Set(lines.filter((line) => line.id === id).map(({ trace }) => trace))
    expect(tracesOf('s3').size).toBe(1)
    expect(tracesOf('s3')).not.toEqual(tracesOf('s50'))
  })
})

describe('events between processes', () => {
  it('are handled once although their consumer and their publisher are killed again and again', async () => {
    await using system = await split.start(tills)
    const sold: string[] = []
    for (let round = 0; round < 3; round += 1) {
      sold.push(...(await sell(system, 40, `r${round}x`)))
      await system.kill('ledger')
      if (round === 1) await system.kill('till')
      await expect.poll(async () => (await system.client(till).pid({})).pid, { timeout: 20_000 }).toBeGreaterThan(0)
    }
    await booked(system, sold.length)
    const ids = (await bookOf(system)).filter(({ by }) => by === 'one').map(({ id }) => id)
    expect(ids.toSorted()).toEqual(sold.toSorted())
  })

  it('are shared by replicas, one of which pulls', async () => {
    await using system = await split.start(tills, { replicas: { ledger: 2, till: 2 } })
    const sold = await sell(system, 120)
    await booked(system, 120)
    await expectOnceInOrder(system, sold)
    expect(new Set((await bookOf(system)).map((line) => line.till)).size).toBe(5)
  })
})

describe('a subscription', () => {
  it('to what no service of the system implements is an error at start, with the remedy', () => {
    const impl = implement(ledger, { store: postgres({ migrations: new URL('./', import.meta.url) }) })
    const handlers = { book: () => ({ lines: [] }), pid: () => ({ pid: 1 }) }
    const on = [impl.on(till.events.sold, async () => undefined)]
    const alone = define('alone', {
      services: [run(ledger, async () => ({ default: impl.service({ handlers, on }) }))],
      gateway: gateway({ routes: [] }),
      topologies: { merged: oneProcess() },
    })
    expect(() => checkStreams(alone, impl.service({ handlers, on }))).toThrow(
      'ledger: it subscribes to events of till@1, and no service of the system implements that; place one with run(...)',
    )
    const storeless = implement(ledger)
    const wish = [storeless.on(till.events.sold, async () => undefined)]
    expect(() => checkStreams(alone, storeless.service({ handlers, on: wish }))).toThrow('and has no store')
  })
})

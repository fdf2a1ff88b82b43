import { afterEach, describe, expect, it } from 'vitest'
import { watchCrashPoints } from '../std/crash-points.ts'
import { uuidv7 } from '../std/ids.ts'
import { haltable } from './fixtures/haltable.ts'
import { sagaBench } from './fixtures/saga-bench.ts'
import { Ownership } from './ownership.ts'

afterEach(() => watchCrashPoints(undefined))

describe('an engine that was silent for as long as its lease', () => {
  it('is not taken for dead when it gives a sign of life in that moment', async () => {
    await using bench = await sagaBench([])
    const halt = haltable(bench.store)
    const deps = { clock: bench.clock, newId: () => uuidv7(bench.clock.now()), leaseMs: 10_000 }
    const late = new Ownership({ ...deps, store: bench.store })
    const other = new Ownership({ ...deps, store: halt.store })
    await late.beat()
    const { name } = late
    await other.takeOver()
    await bench.clock.advance(10_000)
    watchCrashPoints((point) => {
      if (point === 'saga.before-takeover') halt.halt()
    })
    const taking = other.takeOver()
    await expect.poll(() => halt.halted).toBe(true)
    watchCrashPoints(undefined)
    expect(await late.beat()).toBe(true)
    halt.resume()
    await taking
    expect(await late.beat()).toBe(true)
    expect(late.name).toBe(name)
  })
})

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Caller } from 'trestle/service'
import { split, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { carts } from './carts/contract.ts'
import { inventory } from './inventory/contract.ts'
import { orders } from './orders/contract.ts'
import { skuAt } from './seed/product-at.ts'
import { stockAt } from './seed/stock-at.ts'

process.env.STORE_PRODUCTS = '100'

const buyers = 45
const pieces = 30
const patienceMs = 90_000

describe('the store, when processes are killed while people order', () => {
  let store: TestSystem
  beforeAll(async () => {
    store = await split.start(new URL('./system.ts', import.meta.url))
  })
  afterAll(() => store?.stop())

  it('sells every piece once: nothing is lost, doubled or held for nothing', async () => {
    const sku = skuAt(
      Array.from({ length: 100 }, (_, index) => index).find((index) => stockAt(index) < pieces) as number,
    )
    const stock = store.client(inventory)
    await stock.restock({ sku, quantity: pieces - (await stock.level({ sku })).onHand, delivery: 'first' })
    const people = Array.from(
      { length: buyers },
      (): Caller => ({
        kind: 'user',
        id: randomUUID(),
        scopes: ['orders:read', 'orders:write'],
      }),
    )
    let ended = 0
    const buying = people.map(async (caller) => {
      const outcome = await buyOne(store, caller, sku)
      ended++
      return outcome
    })
    for (const [at, service] of [
      [0, 'inventory'],
      [10, 'orders'],
      [20, 'carts'],
    ] as const) {
      await until(() => ended >= at)
      await store.kill(service)
    }
    const outcomes = await Promise.all(buying)
    expect(outcomes.filter((outcome) => outcome === 'bought').length).toBe(pieces)
    expect(outcomes.filter((outcome) => outcome === 'out_of_stock').length).toBe(buyers - pieces)
    const owned = await Promise.all(
      people.map(async (caller) => (await patiently(() => store.client(orders, caller).list.try({}))).items.length),
    )
    expect(owned.toSorted((a, b) => b - a)).toEqual(
      outcomes.map((outcome) => (outcome === 'bought' ? 1 : 0)).toSorted((a, b) => b - a),
    )
    await until(async () => (await stock.level({ sku })).reserved === pieces)
    expect(await stock.level({ sku })).toMatchObject({ onHand: pieces, reserved: pieces, sold: 0 })
  }, 180_000)
})

/** Orders one piece; asks again under the same key for as long as nobody knows what has become of it. */
async function buyOne(store: TestSystem, caller: Caller, sku: string): Promise<string> {
  await patiently(() => store.client(carts, caller).setItem.try({ sku, quantity: 1 }))
  for (let key = 1; ; key++) {
    const placed = await patiently(async () => {
      const tried = await store.client(orders, caller).place.try({}, { key: `try ${key}` })
      if (tried.ok) return { ok: true as const, value: 'bought' }
      return tried.error.code === 'out_of_stock' ? { ok: true as const, value: tried.error.code } : tried
    })
    // Pieces of an order that died may come back: whoever was refused asks until all are really sold.
    if (placed === 'bought' || (await soldOut(store, sku))) return placed
    await setTimeout(500)
  }
}

async function soldOut(store: TestSystem, sku: string): Promise<boolean> {
  const list = await patiently(() => store.client(inventory).level.try({ sku }))
  return list.reserved >= pieces && list.onHand === pieces
}

/** Asks until there is an answer. */
async function patiently<T>(
  ask: () => Promise<
    { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { code: string } }
  >,
): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    const result = await ask()
    if (result.ok) return result.value
    if (performance.now() > end) throw new Error(`no answer in time, but ${result.error.code}`)
    await setTimeout(100)
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('what was waited for has not come')
    await setTimeout(10)
  }
}

import { setTimeout as wait } from 'node:timers/promises'
import type { JsonAnswer } from 'trestle/testing'
import type { Shop } from './shop.ts'

const patienceMs = 60_000
const lookEveryMs = 50

/** Reads an order until it is as wanted; `undefined` when that takes too long. */
export async function orderThat(
  shop: Shop,
  id: string,
  token: string,
  isWanted: (order: JsonAnswer['body']) => boolean,
): Promise<JsonAnswer['body']> {
  const end = performance.now() + patienceMs
  while (performance.now() < end) {
    const { status, body } = await shop
      .ask('GET', `/orders/${id}`, { token })
      .catch(() => ({ status: 0, body: undefined }))
    if (status === 200 && isWanted(body)) return body
    await wait(lookEveryMs)
  }
  return undefined
}

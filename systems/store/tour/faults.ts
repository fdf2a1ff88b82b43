import { setTimeout as wait } from 'node:timers/promises'
import type { RunningStore } from './running-store.ts'
import type { JsonAnswer } from 'trestle/testing'
import type { Shopper } from './shopping.ts'
import type { Story } from './story.ts'

const returnTimeoutMs = 20_000

/** kill -9 of one service: its own routes answer 503, the others go on, it comes back by itself. */
export async function faultChapter(story: Story, store: RunningStore, shopper: Shopper): Promise<void> {
  story.chapter('kill -9 the inventory service')
  const { shop } = store
  const victim = (await store.ps()).find(({ service }) => service === 'inventory')
  if (victim === undefined) throw new Error('`trestle ps` does not list the inventory service')
  const found = await shop.ask('GET', '/products?limit=1')
  const stockPath = `/stock/${found.body.items[0].sku}`
  process.kill(victim.pid, 'SIGKILL')
  const killedAt = performance.now()
  story.say(`kill -9 ${victim.pid}`)
  const down = await firstFailure(store, stockPath)
  const [search, login] = await Promise.all([
    shop.ask('GET', '/products?query=chair&limit=1', { tell: story.told }),
    shop.ask('POST', '/sessions', { body: { email: shopper.email, password: shopper.password } }),
  ])
  story.say(`POST /sessions -> ${login.status}`)
  story.evidence(
    'a dead service answers 503 with Retry-After',
    down?.status === 503 && down.headers.has('retry-after'),
    down === undefined
      ? 'it never failed'
      : `${down.status} ${down.body.code}, Retry-After: ${down.headers.get('retry-after')}`,
  )
  story.evidence(
    'the other services go on',
    search.status === 200 && login.status === 201,
    `search ${search.status}, log-in ${login.status}`,
  )
  const back = await until(async () => (await shop.ask('GET', stockPath)).status === 200)
  const pid = (await store.ps()).find(({ service }) => service === 'inventory')?.pid
  story.evidence(
    'it comes back by itself',
    back && pid !== victim.pid,
    `answers again after ${((performance.now() - killedAt) / 1000).toFixed(1)} s, pid ${pid}`,
  )
}

/** kill -9 of a service that one part of a page asks: the page is answered without it, and says so. */
export async function partialChapter(story: Story, store: RunningStore, { token }: Shopper): Promise<void> {
  story.chapter('One reply from several services, while one of them is dead')
  const { shop } = store
  const whole = await shop.ask('GET', '/home', { token, tell: story.told })
  const victim = (await store.ps()).find(({ service }) => service === 'carts')
  if (victim === undefined) throw new Error('`trestle ps` does not list the carts service')
  process.kill(victim.pid, 'SIGKILL')
  story.say(`kill -9 ${victim.pid} (carts)`)
  const partial = await firstOf(
    () => shop.ask('GET', '/home', { token }),
    ({ headers, status }) => status !== 200 || headers.has('trestle-partial'),
  )
  story.evidence(
    'a page is answered without a part that is dead, and says which',
    whole.body.cart !== null &&
      partial?.status === 200 &&
      partial.body.cart === null &&
      partial.body.products.items.length > 0 &&
      partial.body.partial[0].part === 'cart',
    partial === undefined
      ? 'the part never failed'
      : `${partial.status}, Trestle-Partial: ${partial.headers.get('trestle-partial')}, ${partial.body.partial?.[0]?.problem?.code}`,
  )
  const back = await until(async () => (await shop.ask('GET', '/cart', { token })).status === 200)
  if (!back) throw new Error('carts did not come back')
}

async function firstOf(
  ask: () => Promise<JsonAnswer>,
  wanted: (answer: JsonAnswer) => boolean,
): Promise<JsonAnswer | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await ask()
    if (wanted(answer)) return answer
  }
  return undefined
}

function firstFailure({ shop }: RunningStore, path: string): Promise<JsonAnswer | undefined> {
  return firstOf(
    () => shop.ask('GET', path),
    ({ status }) => status !== 200,
  )
}

async function until(reached: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + returnTimeoutMs
  while (performance.now() < end) {
    if (await reached()) return true
    await wait(50)
  }
  return false
}

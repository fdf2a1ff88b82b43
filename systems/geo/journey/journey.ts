import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { JsonAnswer } from 'trestle/testing'
import type { Ask } from './client.ts'

/** One thing that a customer does, and what came of it. */
export interface Step {
  readonly title: string
  readonly promise: string
  readonly kept: boolean
  readonly seen: string
}

const upgradeTimeoutMs = 5_000
const burst = 20

/** Signs up, gets a key, looks up, runs into the limit, upgrades, looks up more. Tells each step as it is done. */
export async function journey(ask: Ask, tell: (step: Step) => void): Promise<void> {
  const email = `ada.${randomUUID().slice(0, 8)}@example.org`
  const password = `correct horse ${randomUUID()}`
  const signUp = await ask('POST', '/accounts', { body: { email, password, application: 'My site' } })
  const key = `${signUp.body.key}`
  tell({
    title: 'Sign up',
    promise: 'a sign-up gives a key',
    kept: signUp.status === 201 && /^trs_live_[0-9A-Za-z]{36}$/.test(key),
    seen: `${signUp.status}, ${key.slice(0, 13)}…`,
  })
  if (signUp.status !== 201) return
  const first = await ask('GET', '/v1/?ip_address=81.2.69.142', { key })
  tell({
    title: 'Look up',
    promise: 'the free plan tells the country of an address, and whose data that is',
    kept:
      first.status === 200 &&
      first.body.country === 'United Kingdom' &&
      !('city' in first.body) &&
      /rel="license"/.test(first.headers.get('link') ?? ''),
    seen: `81.2.69.142 -> ${shown(first)}`,
  })
  const free = await many(ask, key, 5)
  const refused = free.find(({ status }) => status === 429)
  tell({
    title: 'Run into the limit',
    promise: 'beyond one a second it is 429, and says when to come back',
    kept: refused?.body.code === 'rate_limited' && Number(refused.headers.get('retry-after')) >= 1,
    seen: `${statuses(free)}; Retry-After: ${refused?.headers.get('retry-after') ?? 'none'}`,
  })
  const { token } = (await ask('POST', '/sessions', { body: { email, password } })).body as { token: string }
  const upgrade = await ask('PUT', '/subscription', { body: { plan: 'premium' }, token })
  const took = await untilPremium(ask, key)
  tell({
    title: 'Upgrade',
    promise: 'an upgrade holds for the same key at once',
    kept: upgrade.body.plan === 'premium' && took !== undefined && took < 2_000,
    seen: took === undefined ? `${upgrade.status}, and nothing changed` : `after ${Math.round(took)} ms`,
  })
  const more = await many(ask, key, burst)
  const batch = await ask('POST', '/v1/batch', {
    key,
    body: { ip_addresses: ['81.2.69.142', '2a00:1450:4001::1', '10.0.0.1'], fields: 'city,country_code' },
  })
  tell({
    title: 'Look up more',
    promise: 'premium answers faster than once a second, with the city, and many addresses at once',
    kept:
      more.every(({ status, body }) => status === 200 && 'city' in body) &&
      batch.status === 200 &&
      batch.body.items.length === 3 &&
      batch.body.items[2].error.code === 'ip_private',
    seen: `${statuses(more)}; batch ${batch.status}: ${batch.body.items?.map(placeOf).join(', ')}`,
  })
}

function many(ask: Ask, key: string, count: number): Promise<readonly JsonAnswer[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => ask('GET', `/v1/8.8.${at}.8`, { key })))
}

/** Milliseconds until the key may ask for a city. */
async function untilPremium(ask: Ask, key: string): Promise<number | undefined> {
  const began = performance.now()
  for (;;) {
    const answer = await ask('GET', '/v1/8.8.8.8?fields=city', { key })
    const passed = performance.now() - began
    if (answer.status === 200) return passed
    if (passed > upgradeTimeoutMs) return undefined
    await wait(50)
  }
}

function statuses(answers: readonly JsonAnswer[]): string {
  const counts = Map.groupBy(answers, ({ status }) => status)
  return [...counts].map(([status, all]) => `${all.length} x ${status}`).join(', ')
}

function shown({ status, body }: JsonAnswer): string {
  return `${status} ${body.country ?? body.code}`
}

function placeOf(item: { city?: string | null; country_code?: string; error?: { code: string } }): string {
  return item.error?.code ?? `${item.city} (${item.country_code})`
}

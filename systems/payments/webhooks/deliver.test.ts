import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely'
import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import switchesService from '../switches/service.ts'
import { type EventType, webhooks } from './contract.ts'
import { deliverDue, mindTheClock, type Sending } from './deliver.ts'
import { disturbNew } from './disturb.ts'
import { recordEvent } from './record.ts'
import webhooksService from './service.ts'
import type { WebhooksTables } from './tables.ts'

const eventually = { timeout: 60_000, interval: 10 }

const noHeaders = {
  get: () => undefined,
  getAll: () => [],
  has: () => false,
  entries: () => [],
  forEach: () => undefined,
}

/** Holds back what the sender has found, as a slow network does. */
class SlowClaims implements KyselyPlugin {
  readonly #claims = new WeakSet<object>()
  #found: ((hear: () => void) => void) | undefined

  /** Resolves when it has been found: to the way to let it be heard. */
  holdNext(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#found = resolve
    })
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    // It alone is written as SQL.
    if (node.kind === 'RawNode') this.#claims.add(queryId)
    return node
  }

  async transformResult({ queryId, result }: PluginTransformResultArgs) {
    const found = this.#found
    if (found !== undefined && this.#claims.has(queryId)) {
      this.#found = undefined
      await new Promise<void>((resolve) => found(resolve))
    }
    return result
  }
}

/** Merchants' endpoints that acknowledge at once, or hang until they are let go; no time runs out. */
class Endpoints {
  readonly asked: { readonly url: string; readonly event: string }[] = []
  readonly #hanging = new Map<string, (() => void)[]>()
  readonly #failing = new Map<string, Error>()

  readonly http: Sending['http'] = {
    request: async ({ url, body }) => {
      this.asked.push({ url, event: JSON.parse(String(body)).id })
      const waiting = this.#hanging.get(url)
      if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      const failure = this.#failing.get(url)
      if (failure !== undefined) throw failure
      return { url, status: 204, headers: noHeaders, body: new Uint8Array() }
    },
  }

  hang(url: string): void {
    this.#hanging.set(url, [])
  }

  fail(url: string, failure: Error): void {
    this.#failing.set(url, failure)
  }

  /** One of those that wait is acknowledged. */
  letOneGo(url: string): void {
    this.#hanging.get(url)?.shift()?.()
  }

  /** Whoever waits is acknowledged, and whoever comes. */
  letGo(url: string): void {
    const waiting = this.#hanging.get(url) ?? []
    this.#hanging.delete(url)
    for (const tell of waiting) tell()
  }

  to(url: string): readonly string[] {
    return this.asked.filter((each) => each.url === url).map(({ event }) => event)
  }
}

describe('one run of the sender', () => {
  let services: StartedServices
  let endpoints: Endpoints
  let merchant = ''
  let made = 0
  let logged: Readonly<Record<string, unknown>>[] = []
  beforeAll(async () => {
    services = await startServices([webhooksService, switchesService])
  })
  afterAll(() => services?.[Symbol.asyncDispose]())
  beforeEach(() => {
    endpoints = new Endpoints()
    logged = []
    merchant = `merchant-${++made}`
  })

  const store = () => services.store<WebhooksTables>('webhooks')
  const register = async (host: string, name: EventType | '*' = '*') => {
    const url = `https://${host}/${merchant}`
    const caller: Caller = { kind: 'key', id: 'client', tenant: merchant, scopes: ['webhooks'] }
    await services.client(webhooks, caller).create({ url, event_types: [{ name }] })
    return url
  }
  const happen = async (times: number, type: EventType = 'PAYMENT.CAPTURE.COMPLETED') => {
    for (let n = 0; n < times; n++) {
      const meta = { id: `01980000-0000-7000-8000-${String(++made).padStart(12, '0')}`, occurredAt: Date.now() }
      const happened = { merchantId: merchant, resource: {} }
      await store().transaction((tx) => recordEvent(tx.db, type, happened, meta, Date.now()))
    }
  }
  const send = (...plugins: readonly KyselyPlugin[]) =>
    deliverDue({
      db: plugins.reduce((db, plugin) => db.withPlugin(plugin), store().db),
      http: endpoints.http,
      now: Date.now,
      signal: new AbortController().signal,
      onlyDisturbed: false,
      log: { info: (fields) => void logged.push(fields) },
    })
  const sentTo = async (url: string) =>
    (
      await store()
        .db.selectFrom('deliveries')
        .select('id')
        .where('url', '=', url)
        .where('state', '=', 'sent')
        .execute()
    ).length

  it('delivers everything to the others while a webhook hangs, and the rest to that one when it is let go', async () => {
    const hanging = await register('hanging.example')
    const other = await register('other.example')
    endpoints.hang(hanging)
    await happen(20)
    const sending = send()
    await expect.poll(() => sentTo(other), eventually).toBe(20)
    expect(endpoints.to(hanging).length).toBe(8)
    endpoints.letGo(hanging)
    expect(await sending).toBe(40)
    expect(await sentTo(hanging)).toBe(20)
    expect(new Set(endpoints.to(hanging)).size).toBe(20)
  })

  it('goes on with what waits also when all that it waited for ends while it looks for more', async () => {
    const hanging = await register('hanging.example')
    const last = await register('last.example', 'PAYMENT.CAPTURE.REFUNDED')
    for (const url of [hanging, last]) endpoints.hang(url)
    await happen(19)
    await happen(1, 'PAYMENT.CAPTURE.REFUNDED')
    const slow = new SlowClaims()
    const sending = send(slow)
    await expect.poll(() => endpoints.asked.length, eventually).toBe(9)
    // When the last one has been told it looks for more, and finds all room taken; until it hears that, all room is free again.
    const found = slow.holdNext()
    endpoints.letGo(last)
    const hear = await found
    endpoints.letGo(hanging)
    await expect.poll(() => sentTo(hanging), eventually).toBe(8)
    hear()
    expect(await sending).toBe(21)
    expect(await sentTo(hanging)).toBe(20)
  })

  it('sends first what is for a merchant that is sent nothing, though those whose webhooks hang have waited longer', async () => {
    const hanging: string[] = []
    for (let n = 0; n < 16; n++) {
      merchant = `hanging-${++made}`
      const url = await register('hanging.example')
      endpoints.hang(url)
      hanging.push(url)
      await happen(8)
    }
    const sending = send()
    await expect.poll(() => endpoints.asked.length, eventually).toBe(64)
    merchant = `other-${++made}`
    const other = await register('other.example')
    await happen(1)
    endpoints.letOneGo(hanging.find((url) => endpoints.to(url).length > 0) as string)
    await expect.poll(() => sentTo(other), eventually).toBe(1)
    for (const url of hanging) endpoints.letGo(url)
    expect(await sending).toBe(16 * 8 + 1)
  })

  it('tells a merchant what failed, and the log what that was, once for each webhook', async () => {
    const failing = await register('failing.example')
    const cause = Object.assign(new Error('db.corp leads to 10.0.0.5'), { code: 'address_refused' })
    endpoints.fail(failing, cause)
    await happen(2)
    expect(await send()).toBe(2)
    const rows = await store().db.selectFrom('deliveries').select('reason').where('url', '=', failing).execute()
    const reason = 'the URL leads to an address that is not asked'
    expect(rows).toEqual([{ reason }, { reason }])
    expect(logged).toEqual([expect.objectContaining({ err: cause, tries: 1 })])
  })
})

it('a delivery that a test has made late stays late when the clock is looked at', async () => {
  await using services = await startServices([webhooksService, switchesService])
  const { db } = services.store<WebhooksTables>('webhooks')
  const caller: Caller = { kind: 'key', id: 'client', tenant: 'merchant', scopes: ['webhooks'] }
  const url = 'https://late.example/'
  await services.client(webhooks, caller).create({ url, event_types: [{ name: '*' }] })
  const happened = { merchantId: 'merchant', resource: {} }
  const meta = { id: crypto.randomUUID(), occurredAt: Date.now() }
  await recordEvent(db, 'PAYMENT.CAPTURE.COMPLETED', happened, meta, Date.now())
  await disturbNew(db, async () => ({ late_ms: 600_000, repeated: 1 }), Date.now)
  expect(await mindTheClock(db, Date.now())).toBe(0)
})

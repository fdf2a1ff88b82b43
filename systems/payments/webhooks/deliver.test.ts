import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely'
import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import switchesService from '../switches/service.ts'
import { type EventType, webhooks } from './contract.ts'
import { deliverDue, type Sending } from './deliver.ts'
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

  readonly http: Sending['http'] = {
    request: async ({ url, body }) => {
      this.asked.push({ url, event: JSON.parse(String(body)).id })
      const waiting = this.#hanging.get(url)
      if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      return { url, status: 204, headers: noHeaders, body: new Uint8Array() }
    },
  }

  hang(url: string): void {
    this.#hanging.set(url, [])
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
  beforeAll(async () => {
    services = await startServices([webhooksService, switchesService])
  })
  afterAll(() => services?.[Symbol.asyncDispose]())
  beforeEach(() => {
    endpoints = new Endpoints()
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
})

import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Receiver, startReceiver } from '../testing/receiver.ts'
import { webhooks } from './contract.ts'
import type { WebhooksTables } from './tables.ts'

const caller: Caller = { kind: 'key', id: 'client', tenant: 'merchant', scopes: ['webhooks'] }

describe('webhooks in production', () => {
  let services: StartedServices
  let receiver: Receiver
  beforeAll(async () => {
    vi.stubEnv('NODE_ENV', 'production')
    receiver = await startReceiver()
    const [service, switches] = await Promise.all([import('./service.ts'), import('../switches/service.ts')])
    services = await startServices([service.default, switches.default])
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await services?.[Symbol.asyncDispose]()
    await receiver?.[Symbol.asyncDispose]()
  })

  it('are asked over TLS', async () => {
    const own = services.client(webhooks, caller)
    const create = (url: string) => own.create.try({ url, event_types: [{ name: '*' }] })
    expect(await create('http://shop.example/')).toMatchObject({ error: { code: 'webhook_url_refused', status: 400 } })
    expect((await create('https://shop.example/')).ok).toBe(true)
  })

  it('lead nowhere inside, whatever was written down', async () => {
    const { recordEvent } = await import('./record.ts')
    const store = services.store<WebhooksTables>('webhooks')
    const { url } = receiver
    const at = new Date()
    const merchant_id = 'merchant'
    for (const each of [url, url.replace('127.0.0.1', 'localhost'), 'http://169.254.169.254/latest/meta-data/']) {
      const row = { id: crypto.randomUUID(), merchant_id, url: each, event_types: ['*'], created_at: at }
      await store.db.insertInto('webhooks').values(row).execute()
    }
    await store.db.deleteFrom('webhooks').where('url', '=', 'https://shop.example/').execute()
    const meta = { id: crypto.randomUUID(), occurredAt: at.getTime() }
    const happened = { merchantId: merchant_id, resource: {} }
    await store.transaction((tx) => recordEvent(tx.db, 'PAYMENT.CAPTURE.COMPLETED', happened, meta, at.getTime()))
    await services.runJob('webhooks', 'deliver')
    expect(receiver.received).toEqual([])
    const rows = await store.db.selectFrom('deliveries').select(['state', 'tries', 'reason']).execute()
    expect(rows.length).toBe(3)
    // Neither what a name means inside nor how to allow it.
    for (const { reason } of rows) expect(reason).toBe('the URL leads to an address that is not asked')
  })
})

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { encodeBytes } from 'trestle/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type SentCall, type Services, startServices } from '../testing/services.ts'
import { toleranceMs } from './provider/signature.ts'

let services: Services

const pair = generateKeyPairSync('ed25519')

beforeAll(async () => {
  process.env.STORE_URL = 'http://store.test'
  services = await startServices(['payments'])
  services.provider.keys = [{ kid: 'first', ...jwkOf(pair.publicKey) }]
  await services.runJob('payments', 'register-webhook')
})
afterAll(async () => {
  delete process.env.STORE_URL
  await services[Symbol.asyncDispose]()
})
afterEach(() => {
  services.watch(undefined)
  services.hold(undefined)
})

const calls = () => services.as({ kind: 'operator', id: 'olga', scopes: [] }).payments
const amount = { amount: 12_34, currency: 'EUR' }
const provider = () => services.provider

async function open(orderId: string = randomUUID()): Promise<string> {
  await calls().begin({ orderId, amount })
  return orderId
}

async function authorised(): Promise<string> {
  const orderId = await open()
  provider().approve(orderId)
  await calls().authorise({ orderId })
  return orderId
}

async function captured(): Promise<string> {
  const orderId = await authorised()
  await calls().capture({ orderId })
  return orderId
}

const stateOf = async (orderId: string) => (await calls().find({ orderId })).state

describe('a payment', () => {
  it('goes from its beginning to the money and back, each step once however often it is asked for', async () => {
    const orderId = randomUUID()
    const begun = await calls().begin({ orderId, amount })
    expect(begun).toMatchObject({ state: 'open', amount, captured: null, approveUrl: expect.any(String) })
    expect(await calls().begin({ orderId, amount })).toEqual(begun)
    provider().approve(orderId)
    for (const step of ['authorise', 'capture', 'refund'] as const) {
      const first = await calls()[step]({ orderId })
      expect(await calls()[step]({ orderId })).toEqual(first)
    }
    expect(await calls().find({ orderId })).toMatchObject({ state: 'refunded', captured: amount, refunded: amount })
    const { authorization, capture, refunds } = provider().of(orderId) ?? {}
    expect([authorization?.status, capture?.status]).toEqual(['CAPTURED', 'REFUNDED'])
    expect(refunds?.map(({ status }) => status)).toEqual(['COMPLETED'])
    expect(capture?.amount).toEqual({ currency_code: 'EUR', value: '12.34' })
  })

  it('that the payment system refuses is declined, says why and takes nothing', async () => {
    const orderId = await open()
    provider().approve(orderId)
    provider().decline('authorize', 1)
    const declined = { error: { code: 'payment_declined', details: { reason: 'instrument_declined' } } }
    expect(await calls().authorise.try({ orderId })).toMatchObject(declined)
    expect(await calls().authorise.try({ orderId })).toMatchObject(declined)
    expect(await calls().refund({ orderId })).toMatchObject({ state: 'declined', captured: null })
    expect(provider().of(orderId)?.status).toBe('VOIDED')
  })

  it('that is refused when it is captured is declined too, and what was held is let go', async () => {
    const orderId = await authorised()
    provider().decline('capture', 1)
    expect(await calls().capture.try({ orderId })).toMatchObject({ error: { code: 'payment_declined' } })
    expect(await calls().refund({ orderId })).toMatchObject({ state: 'declined', captured: null })
    expect(provider().of(orderId)?.authorization?.status).toBe('VOIDED')
  })

  it('is closed wherever it stands, and stays closed', async () => {
    const never = randomUUID()
    expect(await calls().refund({ orderId: never })).toMatchObject({ state: 'closed', amount: null })
    expect(await calls().begin.try({ orderId: never, amount })).toMatchObject({ error: { code: 'payment_closed' } })
    expect(provider().of(never)).toBeUndefined()
    const waiting = await open()
    expect(await calls().refund({ orderId: waiting })).toMatchObject({ state: 'closed', approveUrl: null })
    expect(provider().of(waiting)?.status).toBe('VOIDED')
    const held = await authorised()
    expect((await calls().refund({ orderId: held })).state).toBe('closed')
    expect(provider().of(held)?.authorization?.status).toBe('VOIDED')
    for (const orderId of [waiting, held]) {
      expect(await calls().capture.try({ orderId })).toMatchObject({ error: { code: 'payment_closed' } })
      expect(await calls().authorise.try({ orderId })).toMatchObject({ error: { code: 'payment_closed' } })
    }
  })

  it('that is captured and given back at once ends with no money here', async () => {
    for (let round = 0; round < 5; round++) {
      const orderId = await authorised()
      await Promise.all([calls().capture.try({ orderId }), calls().refund({ orderId })])
      const { state, captured: taken, refunded } = await calls().find({ orderId })
      expect(['refunded', 'closed']).toContain(state)
      expect(refunded).toEqual(taken)
    }
  })

  it('stands in a list that is the same in pages of any size', async () => {
    await Promise.all([open(), open(), open()])
    const all = (await calls().list({ limit: 1_000 })).items.map((each) => each.orderId)
    const pages: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Awaited<ReturnType<ReturnType<typeof calls>['list']>> = await calls().list({
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      })
      pages.push(...page.items.map((each) => each.orderId))
      cursor = page.next
    }
    expect(pages).toEqual(all)
    expect(await calls().list.try({ cursor: 'made-up' })).toMatchObject({ error: { code: 'cursor_invalid' } })
  })
})

/** An order as it is before a step. */
async function upTo(operation: string): Promise<string> {
  if (operation === 'create') return randomUUID()
  if (operation === 'authorize') {
    const orderId = await open()
    provider().approve(orderId)
    return orderId
  }
  return operation === 'capture' ? await authorised() : await captured()
}

describe('an answer of the payment system that is lost', () => {
  const lost = [
    ['create', (orderId: string) => calls().begin({ orderId, amount }), 'open'],
    ['authorize', (orderId: string) => calls().authorise({ orderId }), 'authorised'],
    ['capture', (orderId: string) => calls().capture({ orderId }), 'captured'],
    ['refund', (orderId: string) => calls().refund({ orderId }), 'refunded'],
  ] as const

  it.each(lost)('to %s: the same again has no second effect', async (operation, step, state) => {
    const orderId = await upTo(operation)
    after(operation)
    await expect(step(orderId)).rejects.toThrow('internal')
    services.watch(undefined)
    expect((await step(orderId)).state).toBe(state)
    const kept = structuredClone(provider().of(orderId))
    await step(orderId)
    expect(provider().of(orderId)).toEqual(kept)
  })

  it.each(lost.slice(0, 3))('to %s: a look learns it when nobody asks again', async (operation, step, state) => {
    const orderId = await upTo(operation)
    after(operation)
    await expect(step(orderId)).rejects.toThrow('internal')
    services.watch(undefined)
    services.pass(10 * 60_000)
    await services.runJob('payments', 'look-after-payments')
    expect(await stateOf(orderId)).toBe(state)
  })

  it.each(lost)('to %s: giving back leaves no money here', async (operation, step) => {
    const orderId = await upTo(operation)
    after(operation)
    await expect(step(orderId)).rejects.toThrow('internal')
    services.watch(undefined)
    const { captured: taken, refunded } = await calls().refund({ orderId })
    expect(refunded).toEqual(taken)
    const { authorization, capture, refunds, status } = provider().of(orderId) ?? {}
    const last = capture === undefined ? (authorization?.status ?? status) : refunds?.[0]?.status
    expect(last).toMatch(/^(VOIDED|COMPLETED)$/)
  })
})

describe('a webhook', () => {
  it('is believed when it is signed, recent and to this store, and in no other case', async () => {
    const orderId = await open()
    const event = approvedEvent(orderId)
    const forged = generateKeyPairSync('ed25519').privateKey
    const refused = [
      delivery(event, { key: forged }),
      delivery(event, { webhook: randomUUID() }),
      delivery(event, { time: new Date(services.now() - toleranceMs - 1) }),
      delivery(event, { time: new Date(services.now() + toleranceMs + 60_000) }),
      { ...delivery(event), keyId: 'other' },
      { ...delivery(event), body: encodeBytes(Buffer.from(JSON.stringify({ ...event, id: randomUUID() }))) },
      { ...delivery(event), signature: '' },
      delivery({ ...event, id: 'no uuid' }),
    ]
    for (const each of refused) {
      expect(await calls().receive.try(each)).toMatchObject({ error: { code: 'not_genuine', status: 401 } })
    }
    expect(await stateOf(orderId)).toBe('open')
    await calls().receive(delivery(event))
    expect(await stateOf(orderId)).toBe('approved')
  })

  it('counts once for each event, and in any order', async () => {
    const orderId = await captured()
    const events = [approvedEvent(orderId), authorisedEvent(orderId), capturedEvent(orderId)]
    for (const event of [...events.toReversed(), ...events]) await calls().receive(delivery(event))
    expect(await calls().find({ orderId })).toMatchObject({ state: 'captured', captured: amount, refunded: null })
  })

  it('may be ahead of the answer that it is about', async () => {
    const orderId = await authorised()
    services.watch((call) => {
      if (nameOf(call) === 'payment-provider.capture') throw new Error('the connection was lost')
    })
    await expect(calls().capture({ orderId })).rejects.toThrow('internal')
    services.watch(undefined)
    const id = randomUUID()
    await calls().receive(delivery(capturedEvent(orderId, id)))
    expect(await calls().capture({ orderId })).toMatchObject({ state: 'captured', captureId: id })
  })

  it('of a payment that is not ours changes nothing, and is acknowledged', async () => {
    const before = (await calls().list({ limit: 1_000 })).items
    await calls().receive(delivery(approvedEvent(randomUUID())))
    await calls().receive(delivery({ ...approvedEvent(randomUUID()), event_type: 'SOMETHING.NEW' }))
    expect((await calls().list({ limit: 1_000 })).items).toEqual(before)
  })

  it('that never comes is made up for by a look', async () => {
    const orderId = await open()
    provider().approve(orderId)
    services.pass(10 * 60_000)
    await services.runJob('payments', 'look-after-payments')
    expect(await stateOf(orderId)).toBe('approved')
  })

  it('of a refund has the store look what all refunds come to, and the rest can still be given back', async () => {
    const orderId = await captured()
    provider().refund(orderId, { amount: 5_00, currency: 'EUR' })
    const events = [refundedEvent(orderId), refundedEvent(orderId)]
    for (const event of events) await calls().receive(delivery(event))
    await services.runJob('payments', 'look-after-payments')
    const part = { amount: 5_00, currency: 'EUR' }
    expect(await calls().find({ orderId })).toMatchObject({ state: 'captured', captured: amount, refunded: part })
    expect(await calls().refund({ orderId })).toMatchObject({ state: 'refunded', refunded: amount })
    expect(
      provider()
        .of(orderId)
        ?.refunds.map((each) => each.amount.value),
    ).toEqual(['5.00', '7.34'])
  })
})

describe('a look', () => {
  it('that fails holds no other one up, and is made again', async () => {
    const [lost, found] = [await open(), await open()]
    for (const orderId of [lost, found]) provider().approve(orderId)
    const lostId = provider().of(lost)?.id
    services.watch((call) => {
      if (nameOf(call) === 'payment-provider.find' && idOf(call) === lostId) throw new Error('no answer')
    })
    services.pass(10 * 60_000)
    await services.runJob('payments', 'look-after-payments')
    expect([await stateOf(lost), await stateOf(found)]).toEqual(['open', 'approved'])
    services.watch(undefined)
    services.pass(10 * 60_000)
    await services.runJob('payments', 'look-after-payments')
    expect(await stateOf(lost)).toBe('approved')
  })

  it('does not wait for a clock that was put back', async () => {
    const orderId = await open()
    provider().approve(orderId)
    services.pass(-60 * 60_000)
    await services.runJob('payments', 'look-after-payments')
    expect(await stateOf(orderId)).toBe('approved')
    services.pass(60 * 60_000)
  })
})

const after = (operation: string) =>
  services.watch((call) =>
    nameOf(call) === `payment-provider.${operation}`
      ? () => {
          throw new Error('the connection was lost')
        }
      : undefined,
  )

function idOf({ input }: SentCall): unknown {
  return input.kind === 'value' ? (input.value as { readonly id?: string }).id : undefined
}

function nameOf({ contract, operation }: SentCall): string {
  return `${contract.split('@')[0]}.${operation}`
}

interface Signing {
  readonly key?: typeof pair.privateKey
  readonly webhook?: string
  readonly time?: Date
}

/** What the payment system sends about an event. */
function delivery(event: object, { key = pair.privateKey, webhook = registered(), time }: Signing = {}) {
  const body = Buffer.from(JSON.stringify(event))
  const transmissionId = randomUUID()
  const transmissionTime = (time ?? new Date(services.now())).toISOString()
  const digest = createHash('sha256').update(body).digest('hex')
  const signature = sign(null, Buffer.from([transmissionId, transmissionTime, webhook, digest].join('|')), key)
  return {
    body: encodeBytes(body),
    transmissionId,
    transmissionTime,
    keyId: 'first',
    signature: signature.toString('base64'),
  }
}

const registered = () => provider().webhookOf('http://store.test/webhooks/payments')

function approvedEvent(orderId: string) {
  const id = provider().of(orderId)?.id ?? randomUUID()
  const purchase_units = [{ custom_id: orderId, payee: { email_address: 'payer@example.org' } }]
  return { id: randomUUID(), event_type: 'CHECKOUT.ORDER.APPROVED', resource: { id, purchase_units } }
}

function authorisedEvent(orderId: string) {
  const id = provider().of(orderId)?.authorization?.id
  return { id: randomUUID(), event_type: 'PAYMENT.AUTHORIZATION.CREATED', resource: { id, custom_id: orderId } }
}

function capturedEvent(orderId: string, id = provider().of(orderId)?.capture?.id) {
  const order = provider().of(orderId)
  const supplementary_data = { related_ids: { order_id: order?.id } }
  const resource = { id, custom_id: orderId, amount: order?.amount, supplementary_data }
  return { id: randomUUID(), event_type: 'PAYMENT.CAPTURE.COMPLETED', resource }
}

function refundedEvent(orderId: string) {
  const refund = provider().of(orderId)?.refunds[0]
  const resource = { id: refund?.id, custom_id: orderId, amount: refund?.amount }
  return { id: randomUUID(), event_type: 'PAYMENT.CAPTURE.REFUNDED', resource }
}

function jwkOf(key: typeof pair.publicKey) {
  const { kty, crv, x } = key.export({ format: 'jwk' })
  return { kty: kty as string, crv: crv as string, x: x as string }
}

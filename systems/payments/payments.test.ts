import { runners, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest'
import { identity } from './identity/contract.ts'
import { merchants } from './merchants/contract.ts'
import { type Ask, clientOf, type Question } from './testing/client.ts'
import { approvedOrder, newMerchant, newPayer, tokenOf } from './testing/people.ts'
import { startReceiver } from './testing/receiver.ts'
import { verifyDelivery } from './webhooks/verify-delivery.ts'

process.env.PAYMENTS_SWITCHES = 'on'
process.env.WALLETS_PASSWORD_BLOCKS = '1024'

const store = 'store:store-development-secret'
const eventually = { timeout: 60_000, interval: 50 }

describe.each(runners)('payments on %s', (runner) => {
  let payments: TestSystem
  let ask: Ask
  let storeToken: string
  beforeAll(async () => {
    // A server of its own: on a shared one, events wait for the open transactions of every other test.
    payments = await runner.start(new URL('./system.ts', import.meta.url), { stores: 'own' })
    ask = clientOf(payments.url)
    storeToken = (await tokenOf(ask, store)) as string
  })
  afterAll(() => payments?.stop())

  /** An endpoint of its own that is told of all that becomes of the merchant of a token. */
  const endpointFor = async (token: string) => {
    const receiver = await startReceiver()
    const event_types = [{ name: '*' }]
    const made = await ask('POST', '/v1/notifications/webhooks', { token, body: { url: receiver.url, event_types } })
    expect(made.status).toBe(201)
    const types = () => receiver.received.map(({ event }) => event.event_type)
    return Object.assign(receiver, { webhookId: made.body.id as string, types })
  }
  /** Switches are the whole system's: no two tests that use them run at once, nor one that they would disturb. */
  const switchTo = async (onTestFinished: TestContext['onTestFinished'], body: object) => {
    onTestFinished(async () => {
      await ask('DELETE', '/test/switches', { token: storeToken })
    })
    expect((await ask('PUT', '/test/switches', { token: storeToken, body })).status).toBe(200)
  }

  it.concurrent('takes a payment from the token to the refund, and tells the merchant of each step', async () => {
    const merchant = await newMerchant(payments, ask)
    const payer = await newPayer(ask, storeToken)
    await using receiver = await endpointFor(merchant.token)
    const { webhookId, types } = receiver
    const { token } = merchant
    const orderId = await approvedOrder(ask, merchant, payer)

    const authorized = await ask('POST', `/v2/checkout/orders/${orderId}/authorize`, {
      token,
      requestId: 'a-1',
      body: {},
    })
    expect(authorized.status).toBe(201)
    const [authorization] = authorized.body.purchase_units[0].payments.authorizations
    expect(authorization).toMatchObject({ status: 'CREATED', amount: { currency_code: 'GBP', value: '19.99' } })
    const capturing = { token, requestId: 'c-1', body: { final_capture: true } }
    const path = `/v2/payments/authorizations/${authorization.id}/capture`
    const captured = await ask('POST', path, capturing)
    expect(captured).toMatchObject({ status: 201, body: { status: 'COMPLETED' } })
    expect(await ask('POST', path, capturing)).toMatchObject({ status: 200, body: { id: captured.body.id } })
    const told = ['CHECKOUT.ORDER.APPROVED', 'PAYMENT.AUTHORIZATION.CREATED', 'PAYMENT.CAPTURE.COMPLETED']
    await vi.waitFor(() => expect(new Set(types())).toEqual(new Set(told)), eventually)

    const refunded = await ask('POST', `/v2/payments/captures/${captured.body.id}/refund`, {
      token,
      requestId: 'r-1',
      body: {},
    })
    expect(refunded).toMatchObject({ status: 201, body: { status: 'COMPLETED', amount: { value: '19.99' } } })
    await vi.waitFor(() => expect(types()).toContain('PAYMENT.CAPTURE.REFUNDED'), eventually)
    const refund = receiver.received.find(({ event }) => event.event_type === 'PAYMENT.CAPTURE.REFUNDED')?.event
    expect(refund).toMatchObject({
      resource_type: 'refund',
      resource: { id: refunded.body.id, supplementary_data: { related_ids: { order_id: orderId } } },
    })

    const { keys } = (await ask('GET', '/v1/notifications/webhooks-keys')).body
    expect(receiver.received.length).toBe(4)
    for (const { headers, body } of receiver.received) {
      const delivery = { headers: (name: string) => headers[name] as string, body, webhookId, keys, now: Date.now() }
      expect(verifyDelivery(delivery)).toBe('genuine')
      expect(verifyDelivery({ ...delivery, body: body.replace('GBP', 'EUR') })).toBe('not_genuine')
      expect(verifyDelivery({ ...delivery, webhookId: crypto.randomUUID() })).toBe('not_genuine')
    }

    const look = `/v1/notifications/webhooks-events/${refund.id}`
    await vi.waitFor(
      async () =>
        expect((await ask('GET', look, { token })).body.transmissions).toMatchObject([
          { webhook_id: webhookId, status: 'SUCCESS', http_status: 200 },
        ]),
      eventually,
    )
    expect((await ask('POST', `${look}/resend`, { token, body: {} })).status).toBe(202)
    await vi.waitFor(
      () => expect(receiver.received.filter(({ event }) => event.id === refund.id).length).toBe(2),
      eventually,
    )
    const listed = await ask('GET', '/v1/notifications/webhooks-events', { token })
    expect(listed.body.count).toBe(4)
  })

  it.concurrent('shows a merchant nothing of another one', async () => {
    const [ada, eve] = [await newMerchant(payments, ask), await newMerchant(payments, ask)]
    const payer = await newPayer(ask, storeToken)
    await using receiver = await endpointFor(ada.token)
    const { webhookId, types } = receiver
    const orderId = await approvedOrder(ask, ada, payer)
    await vi.waitFor(() => expect(types()).toEqual(['CHECKOUT.ORDER.APPROVED']), eventually)
    const eventId = receiver.received[0]?.event.id
    for (const path of [
      `/v2/checkout/orders/${orderId}`,
      `/v1/notifications/webhooks/${webhookId}`,
      `/v1/notifications/webhooks-events/${eventId}`,
    ]) {
      expect((await ask('GET', path, { token: ada.token })).status).toBe(200)
      expect((await ask('GET', path, { token: eve.token })).status).toBe(404)
    }
    const requests: [string, string][] = [
      ['POST', `/v2/checkout/orders/${orderId}/authorize`],
      ['POST', `/v1/notifications/webhooks-events/${eventId}/resend`],
      ['DELETE', `/v1/notifications/webhooks/${webhookId}`],
    ]
    for (const [method, path] of requests) {
      const question = method === 'POST' ? { body: {}, requestId: 'e' } : {}
      expect((await ask(method, path, { ...question, token: eve.token })).status).toBe(404)
    }
    expect((await ask('GET', '/v1/notifications/webhooks', { token: eve.token })).body.webhooks).toEqual([])
    expect((await ask('GET', '/v1/notifications/webhooks-events', { token: eve.token })).body.events).toEqual([])
  })

  it.concurrent('delivers to an endpoint that was down once it is up', async () => {
    const merchant = await newMerchant(payments, ask)
    await using receiver = await endpointFor(merchant.token)
    receiver.answers(503)
    await approvedOrder(ask, merchant, await newPayer(ask, storeToken))
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), eventually)
    const eventId = receiver.received[0]?.event.id
    const transmissions = async () =>
      (await ask('GET', `/v1/notifications/webhooks-events/${eventId}`, { token: merchant.token })).body.transmissions
    await vi.waitFor(
      async () => expect(await transmissions()).toMatchObject([{ status: 'PENDING', http_status: 503 }]),
      eventually,
    )
    receiver.answers(200)
    await vi.waitFor(
      async () => expect(await transmissions()).toMatchObject([{ status: 'SUCCESS', http_status: 200 }]),
      eventually,
    )
    expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(1)
  })

  it('declines, and times out after the effect, where a test asks for it', async ({ onTestFinished }) => {
    const merchant = await newMerchant(payments, ask)
    const payer = await newPayer(ask, storeToken)
    const { token } = merchant
    await switchTo(onTestFinished, { decline_authorizations: 1, time_out_authorizations: 1 })
    const authorize = (orderId: string, requestId: string, more: Question = {}) =>
      ask('POST', `/v2/checkout/orders/${orderId}/authorize`, { token, requestId, body: {}, ...more })
    const declined = await authorize(await approvedOrder(ask, merchant, payer), 'a-1')
    expect(declined).toMatchObject({ status: 422, body: { details: [{ issue: 'INSTRUMENT_DECLINED' }] } })
    const orderId = await approvedOrder(ask, merchant, payer)
    const impatient = new AbortController()
    const unanswered = authorize(orderId, 'a-2', { signal: impatient.signal })
    // Taken once the effect is there.
    const left = async () => (await ask('GET', '/test/switches', { token: storeToken })).body.time_out_authorizations
    await vi.waitFor(async () => expect(await left()).toBe(0), eventually)
    impatient.abort()
    await expect(unanswered).rejects.toThrow(/abort/)
    const replayed = await authorize(orderId, 'a-2')
    expect(replayed.status).toBe(200)
    expect(replayed.body.purchase_units[0].payments.authorizations.length).toBe(1)

    await switchTo(onTestFinished, { declined_payers: [payer.id] })
    const byName = await authorize(await approvedOrder(ask, merchant, payer), 'a-3')
    expect(byName).toMatchObject({ status: 422, body: { code: 'instrument_declined' } })
  })

  it.concurrent('repeats and reorders deliveries where a test asks for it', async ({ onTestFinished }) => {
    const merchant = await newMerchant(payments, ask)
    await using receiver = await endpointFor(merchant.token)
    await switchTo(onTestFinished, { webhooks_repeated: 1, webhooks_reordered_ms: 5_000 })
    const orderId = await approvedOrder(ask, merchant, await newPayer(ask, storeToken))
    const { token } = merchant
    await ask('POST', `/v2/checkout/orders/${orderId}/authorize`, { token, requestId: 'a', body: {} })
    await vi.waitFor(
      () =>
        expect(receiver.types()).toEqual([
          'PAYMENT.AUTHORIZATION.CREATED',
          'PAYMENT.AUTHORIZATION.CREATED',
          'CHECKOUT.ORDER.APPROVED',
          'CHECKOUT.ORDER.APPROVED',
        ]),
      eventually,
    )
    expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(2)
  })

  it.concurrent('refuses what it must, each with its status, its code and the name that is documented', async () => {
    const { token } = await newMerchant(payments, ask)
    const form = 'grant_type=client_credentials'
    const nowhere = '/v2/checkout/orders/0198a000-0000-7000-8000-000000000000'
    const body = { intent: 'CAPTURE', purchase_units: [{ amount: { currency_code: 'GBP', value: '1.00' } }] }
    const requestId = crypto.randomUUID()
    const oauth: [Question, number, string][] = [
      [{ form }, 401, 'invalid_client'],
      [{ form, basic: 'store:wrong' }, 401, 'invalid_client'],
      [{ form, basic: 'store:' }, 401, 'invalid_client'],
      [{ form, basic: 'nobody:wrong' }, 401, 'invalid_client'],
      [{ form, basic: 'store\u0000:wrong' }, 401, 'invalid_client'],
      [{ form, basic: `store:${'x'.repeat(201)}` }, 401, 'invalid_client'],
      [{ form, token }, 403, 'invalid_client'],
      [{ form: 'grant_type=password', basic: store }, 400, 'unsupported_grant_type'],
      [{ form: `${form}&scope=everything`, basic: store }, 400, 'invalid_scope'],
      [{ form: 'x=y', basic: store }, 400, 'invalid_request'],
      [{ basic: store }, 400, 'invalid_request'],
      [{ body: { grant_type: 'client_credentials' }, basic: store }, 415, 'invalid_request'],
    ]
    for (const [question, status, error] of oauth) {
      const reply = await ask('POST', '/v1/oauth2/token', question)
      expect({ question, status: reply.status, error: reply.body?.error }).toEqual({ question, status, error })
    }
    const refusals: [string, string, Question, number, string, string][] = [
      ['POST', '/v2/checkout/orders', { body, requestId }, 401, 'unauthenticated', 'AUTHENTICATION_FAILURE'],
      [
        'POST',
        '/v2/checkout/orders',
        { token: 'x', body, requestId },
        401,
        'unauthenticated',
        'AUTHENTICATION_FAILURE',
      ],
      ['POST', '/v2/checkout/orders', { basic: store, body, requestId }, 403, 'forbidden', 'NOT_AUTHORIZED'],
      ['POST', '/v2/checkout/orders', { token, body: {}, requestId }, 400, 'invalid_input', 'INVALID_REQUEST'],
      ['POST', '/v2/checkout/orders', { token, body }, 400, 'invalid_input', 'INVALID_REQUEST'],
      ['GET', nowhere, { token }, 404, 'invalid_resource_id', 'RESOURCE_NOT_FOUND'],
      ['GET', '/nowhere', { token }, 404, 'not_found', 'RESOURCE_NOT_FOUND'],
      ['PUT', '/v1/merchants/me', { token, body: {} }, 405, 'method_not_allowed', 'METHOD_NOT_SUPPORTED'],
      ['PUT', '/test/switches', { token, body: {} }, 403, 'forbidden', 'NOT_AUTHORIZED'],
    ]
    for (const [method, path, question, status, code, name] of refusals) {
      const { status: replied, body: said } = await ask(method, path, question)
      expect({ method, path, status: replied, code: said?.code, name: said?.name }).toEqual({
        method,
        path,
        status,
        code,
        name,
      })
      expect(said.debug_id).toBe(said.traceId)
    }
    const unapproved = await ask('POST', '/v2/checkout/orders', { token, body, requestId })
    const refused = await ask('POST', `/v2/checkout/orders/${unapproved.body.id}/capture`, {
      token,
      requestId: 'c',
      body: {},
    })
    expect(refused).toMatchObject({
      status: 422,
      body: {
        name: 'UNPROCESSABLE_ENTITY',
        details: [{ issue: 'ORDER_NOT_APPROVED', description: expect.any(String) }],
      },
    })
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    const malformed = await ask('POST', '/v1/notifications/webhooks', { token, body: { url: 'x', event_types: [] } })
    expect(malformed.body.details.map(({ field }: { field: string }) => field)).toEqual(
      expect.arrayContaining(['/url', '/event_types']),
    )
  })

  it.concurrent('knows a token until it expires or is ended, and a merchant until it is suspended', async () => {
    const me = (token: string) => ask('GET', '/v1/merchants/me', { token })
    const short = await payments
      .client(identity)
      .createClient({ merchant_id: 'store', name: 'Short', token_seconds: 1 })
    const shortToken = (await tokenOf(ask, `${short.client_id}:${short.client_secret}`)) as string
    await vi.waitFor(async () => expect((await me(shortToken)).status).toBe(401), eventually)
    const { id: merchant_id, basic, token } = await newMerchant(payments, ask)
    expect(await me(token)).toMatchObject({ status: 200, body: { merchant_id, status: 'active' } })
    const second = (await tokenOf(ask, basic)) as string
    expect((await ask('POST', '/v1/oauth2/token/terminate', { basic, form: `token=${second}` })).status).toBe(204)
    expect((await me(second)).status).toBe(401)
    await payments.client(merchants).setStatus({ merchant_id, status: 'suspended' })
    await vi.waitFor(async () => expect((await me(token)).status).toBe(401), eventually)
    const refused = await ask('POST', '/v1/oauth2/token', { basic, form: 'grant_type=client_credentials' })
    expect(refused).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
  })

  it.concurrent('lets a payer approve on its page, and shows merchant and auditor the same books', async () => {
    const merchant = await newMerchant(payments, ask)
    const payer = await newPayer(ask, storeToken)
    const { token } = merchant
    const wish = { amount: { currency_code: 'GBP', value: '19.99' }, invoice_id: 'I-1', description: '<b>A lamp</b>' }
    const body = { intent: 'CAPTURE', purchase_units: [wish] }
    const created = await ask('POST', '/v2/checkout/orders', { token, requestId: 'o-1', body })
    const link = created.body.links.find(({ rel }: { rel: string }) => rel === 'approve').href
    const page = await fetch(payments.url + link)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.headers.get('x-frame-options')).toBe('DENY')
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(await page.text()).toContain('&lt;b&gt;A lamp&lt;/b&gt;')
    const send = async (fields: Record<string, string>) => {
      const form = new URLSearchParams({ token: created.body.id, ...fields })
      return await (await fetch(`${payments.url}/checkoutnow`, { method: 'POST', body: form })).text()
    }
    const signedIn = await send({ email: payer.email, password: payer.password })
    const session = /name="session" value="([^"]+)"/.exec(signedIn)?.[1] ?? ''
    expect(await send({ session, step: 'approve' })).toContain('approved')

    const path = `/v2/checkout/orders/${created.body.id}/capture`
    const tries = await Promise.all(
      ['c-1', 'c-1', 'c-2'].map((requestId) => ask('POST', path, { token, requestId, body: {} })),
    )
    expect(tries.filter(({ status }) => status === 201).length).toBe(1)
    const lost = await ask('GET', '/v2/checkout/orders?request_id=o-1', { token })
    expect(lost.body.orders).toMatchObject([{ id: created.body.id, status: 'COMPLETED' }])
    const entries = await ask('GET', '/v1/ledger/entries?invoice_id=I-1', { token })
    expect(entries.body.items).toMatchObject([{ type: 'CREDIT', amount: { value: '19.99' } }])
    const wallet = await ask('GET', '/v1/wallets/me', { token: payer.token })
    expect(wallet.body.balances).toMatchObject([{ available: { currency_code: 'GBP', value: '80.01' } }])

    const auditor = { merchant_id: 'store', name: 'Auditor', scopes: ['audit' as const] }
    const { client_id, client_secret } = await payments.client(identity).createClient(auditor)
    const audit = await tokenOf(ask, `${client_id}:${client_secret}`)
    const trial = await ask('GET', '/v1/ledger/trial-balance', { token: audit as string })
    expect(Object.values(trial.body.faults)).toEqual([0, 0, 0, 0])
    for (const { debits, credits } of trial.body.currencies) expect(debits).toEqual(credits)
    expect((await ask('GET', '/v1/ledger/trial-balance', { token })).status).toBe(403)
  })

  // The last one: after it nobody gets a token from here for a while.
  it('bounds how often secrets may be tried from one address', async () => {
    const attempt = () =>
      ask('POST', '/v1/oauth2/token', { basic: 'store:guessed', form: 'grant_type=client_credentials' })
    let answers = [await attempt()]
    // Some places become free again while this asks.
    for (let n = 0; n < 100 && answers.every(({ status }) => status === 401); n++) {
      answers = await Promise.all(Array.from({ length: 10 }, attempt))
    }
    const answer = answers.find(({ status }) => status !== 401)
    expect(answer).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } })
    expect(Number(answer?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask('GET', '/v1/merchants/me', { token: storeToken })).status).toBe(200)
  })
})

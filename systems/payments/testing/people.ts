import type { TestSystem } from 'trestle/testing'
import { expect, vi } from 'vitest'
import { merchants } from '../merchants/contract.ts'
import type { Ask } from './client.ts'

const grant = 'grant_type=client_credentials'
let people = 0

/** A merchant that was onboarded and looked at, and a token of its client. */
export async function newMerchant(payments: TestSystem, ask: Ask) {
  const email = `merchant-${process.pid}-${++people}@example.org`
  const onboarded = await ask('POST', '/v1/merchants', { body: { business_name: 'Lamps', email, country_code: 'GB' } })
  expect(onboarded).toMatchObject({ status: 201, body: { merchant: { status: 'pending' } } })
  const { merchant, client } = onboarded.body
  const basic = `${client.client_id}:${client.client_secret}`
  await payments.client(merchants).setStatus({ merchant_id: merchant.merchant_id, status: 'active' })
  // Identity hears of it as an event.
  let token: string | undefined
  await vi.waitFor(async () => expect((token = await tokenOf(ask, basic))).toEqual(expect.any(String)), {
    timeout: 60_000,
  })
  return { id: merchant.merchant_id as string, basic, token: token ?? '' }
}

/** A token, where one is given. */
export async function tokenOf(ask: Ask, basic: string): Promise<string | undefined> {
  return (await ask('POST', '/v1/oauth2/token', { basic, form: grant })).body.access_token
}

/** A payer with so much in the wallet. */
export async function newPayer(ask: Ask, testToken: string, value = '100.00') {
  const balance = { currency_code: 'GBP', value }
  const made = await ask('POST', '/test/payers', { token: testToken, body: { balance } })
  expect(made.status).toBe(201)
  const { payer_id, access_token, email, password } = made.body as Record<string, string>
  return { id: payer_id as string, token: access_token as string, email: email as string, password: password as string }
}

/** An order that the payer has approved. */
export async function approvedOrder(ask: Ask, merchant: { token: string }, payer: { token: string }, value = '19.99') {
  const created = await ask('POST', '/v2/checkout/orders', {
    token: merchant.token,
    requestId: crypto.randomUUID(),
    body: { intent: 'AUTHORIZE', purchase_units: [{ amount: { currency_code: 'GBP', value } }] },
  })
  expect(created).toMatchObject({ status: 201, body: { status: 'CREATED' } })
  const id = created.body.id as string
  const approved = await ask('POST', `/v2/checkout/orders/${id}/approve`, { token: payer.token, body: {} })
  expect(approved).toMatchObject({ status: 200, body: { status: 'APPROVED' } })
  return id
}

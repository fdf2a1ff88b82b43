import { anyone, bytes, contract, get, post, problem } from 'trestle/contract'
import { z } from 'zod'

// The payment system's public API, as far as the store uses it. What is not written here is dropped when a reply is read:
// the payment system also says who pays, and that never enters the store.

const Amount = z.object({ currency_code: z.string(), value: z.string() })

const Authorization = z.object({ id: z.string(), status: z.string() })
const Capture = z.object({ id: z.string(), status: z.string(), amount: Amount })
const Refund = z.object({ id: z.string(), status: z.string(), amount: Amount })

export const ProviderOrder = z.object({
  id: z.string(),
  status: z.enum(['CREATED', 'APPROVED', 'COMPLETED', 'VOIDED']),
  purchase_units: z.array(
    z.object({
      custom_id: z.string().optional(),
      payments: z
        .object({
          authorizations: z.array(Authorization).default([]),
          captures: z.array(Capture).default([]),
          refunds: z.array(Refund).default([]),
        })
        .optional(),
    }),
  ),
  links: z.array(z.object({ rel: z.string(), href: z.string() })),
})

export type ProviderOrder = z.output<typeof ProviderOrder>

const refused = problem(422)
/** Why the payment system does not do what it was asked for. */
const errors = {
  invalid_resource_id: problem(404),
  instrument_declined: refused,
  currency_not_supported: refused,
  duplicate_invoice_id: refused,
  order_not_approved: refused,
  order_already_authorized: refused,
  order_already_captured: refused,
  order_voided: refused,
  authorization_already_captured: refused,
  authorization_voided: refused,
  authorization_denied: refused,
  previously_voided: refused,
  previously_captured: refused,
  capture_fully_refunded: refused,
  refund_failed_insufficient_funds: refused,
}

const authorization = { authorization: z.string() }
const asClient = { authorization: 'authorization' } as const
const asRequest = { ...asClient, request_id: 'pay-request-id' } as const
const request = { ...authorization, request_id: z.string().max(108) }
const access = anyone()
const timeoutMs = 8_000
/** Said of all that moves money, or may: asked again under its number it does nothing more. */
const change = { headers: asRequest, errors, access, idempotent: 'natural', timeoutMs } as const

export const paymentProvider = contract('payment-provider', {
  version: '2.0.0',
  summary: 'The payment system that the store has an account with.',
  operations: {
    token: post('/v1/oauth2/token', {
      input: z.object({ ...authorization, form: bytes({ contentTypes: ['application/x-www-form-urlencoded'] }) }),
      headers: asClient,
      body: 'form',
      output: z.object({ access_token: z.string(), expires_in: z.int() }),
      access,
    }),
    create: post('/v2/checkout/orders', {
      input: z.object({
        ...request,
        intent: z.literal('AUTHORIZE'),
        purchase_units: z.array(
          z.object({ amount: Amount, custom_id: z.string(), invoice_id: z.string(), description: z.string() }),
        ),
      }),
      responses: { 201: ProviderOrder, 200: ProviderOrder },
      ...change,
    }),
    find: get('/v2/checkout/orders/{id}', {
      input: z.object({ ...authorization, id: z.string() }),
      headers: asClient,
      output: ProviderOrder,
      errors,
      access,
      timeoutMs,
    }),
    /** What has become of a request whose answer was lost: no order, nothing. */
    search: get('/v2/checkout/orders', {
      input: z.object({ ...authorization, request_id: z.string() }),
      headers: asClient,
      output: z.object({ orders: z.array(ProviderOrder) }),
      access,
      timeoutMs,
    }),
    authorize: post('/v2/checkout/orders/{id}/authorize', {
      input: z.object({ ...request, id: z.string() }),
      responses: { 201: ProviderOrder, 200: ProviderOrder },
      ...change,
    }),
    voidOrder: post('/v2/checkout/orders/{id}/void', {
      input: z.object({ ...request, id: z.string() }),
      responses: { 200: ProviderOrder },
      ...change,
    }),
    voidAuthorization: post('/v2/payments/authorizations/{id}/void', {
      input: z.object({ ...request, id: z.string() }),
      ...change,
    }),
    capture: post('/v2/payments/authorizations/{id}/capture', {
      input: z.object({ ...request, id: z.string(), final_capture: z.literal(true) }),
      responses: { 201: Capture, 200: Capture },
      ...change,
    }),
    refund: post('/v2/payments/captures/{id}/refund', {
      input: z.object({ ...request, id: z.string() }),
      responses: { 201: Refund, 200: Refund },
      ...change,
    }),

    registerWebhook: post('/v1/notifications/webhooks', {
      input: z.object({ ...authorization, url: z.string(), event_types: z.array(z.object({ name: z.string() })) }),
      headers: asClient,
      output: z.object({ id: z.string() }),
      created: true,
      errors: { webhook_url_already_exists: problem(400) },
      access,
      timeoutMs,
    }),
    webhooks: get('/v1/notifications/webhooks', {
      input: z.object(authorization),
      headers: asClient,
      output: z.object({ webhooks: z.array(z.object({ id: z.string(), url: z.string() })) }),
      access,
      timeoutMs,
    }),
    keys: get('/v1/notifications/webhooks-keys', {
      output: z.object({
        keys: z.array(z.object({ kid: z.string(), kty: z.string(), crv: z.string(), x: z.string() })),
      }),
      access,
      timeoutMs,
    }),
  },
})

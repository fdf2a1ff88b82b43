import { anyone, bytes, clientAddressHeader, contract, event, get, post, problem, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Amount, amountFaults } from '../money.ts'
import { Authorization, Capture, Intent, Order, PurchaseUnitRequest, Refund } from './resources.ts'

export { Authorization, Capture, Intent, Order, Refund } from './resources.ts'

/** A merchant's client may do this. */
const merchant = scopes('payments')
/** Somebody who pays may do this. */
const payer = scopes('payer')

const byId = z.object({ id: z.uuid() })

/**
 * One effect for each request id: the same id is the same request for as long as the order exists, and answers with what
 * it has done.
 */
const RequestId = z
  .string()
  .min(1)
  .max(108)
  .describe("The merchant's number of this request; the same again is no new one")
const requestHeader = { request_id: 'pay-request-id' } as const

/** `javascript:` and the like must not become links. */
const Url = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:[/?#][!-~]*)?$/)

// The code of an error is the name in small letters: ORDER_NOT_APPROVED.
const notFound = { invalid_resource_id: problem(404, 'There is no such resource') }
const requestFaults = {
  request_id_reused: problem(422, 'This request id belongs to another request, with other content'),
}
const declined = {
  instrument_declined: problem(422, "The payer's wallet declined; a new request may succeed"),
}
const payingFaults = {
  order_not_approved: problem(422, 'The payer has not approved the order'),
  order_already_captured: problem(422, 'The order has been captured'),
  order_already_authorized: problem(422, 'The order has been authorized'),
  order_voided: problem(422, 'The order is void'),
  action_does_not_match_intent: problem(422, 'The order was created with the other intent'),
}
const tooMany = problem(422, 'There have been too many payments for this order')
const payingErrors = {
  ...notFound,
  ...requestFaults,
  ...payingFaults,
  max_number_of_payment_attempts_exceeded: tooMany,
  ...declined,
}
const capturingFaults = {
  max_number_of_payment_attempts_exceeded: tooMany,
  authorization_already_captured: problem(422, 'All of the authorization has been captured'),
  authorization_voided: problem(422, 'The authorization is void'),
  authorization_denied: problem(422, 'The authorization was declined'),
}

const OrderEvent = z.object({ orderId: z.uuid(), merchantId: z.string(), resource: Order })
const AuthorizationEvent = OrderEvent.extend({ resource: Authorization })
const CaptureEvent = OrderEvent.extend({ resource: Capture })
const RefundEvent = OrderEvent.extend({ resource: Refund })

/** What merchants call the events. */
export const eventTypes = {
  orderApproved: 'CHECKOUT.ORDER.APPROVED',
  orderVoided: 'CHECKOUT.ORDER.VOIDED',
  authorizationCreated: 'PAYMENT.AUTHORIZATION.CREATED',
  authorizationDenied: 'PAYMENT.AUTHORIZATION.DENIED',
  authorizationVoided: 'PAYMENT.AUTHORIZATION.VOIDED',
  captureCompleted: 'PAYMENT.CAPTURE.COMPLETED',
  captureDenied: 'PAYMENT.CAPTURE.DENIED',
  captureRefunded: 'PAYMENT.CAPTURE.REFUNDED',
} as const

export const orders = contract('orders', {
  version: '1.0.0',
  owner: 'checkout',
  summary: 'Takes payments: a merchant creates an order, a payer approves it, the merchant captures it.',
  description:
    'Captured never exceeds authorized, and refunded never exceeds captured. Each request has an id of the merchant’s own; sent again it does nothing new and answers 200 with what it has done.',
  operations: {
    create: post('/v2/checkout/orders', {
      summary: 'Create an order',
      description: 'It is CREATED; the payer approves it at the address of its `approve` link within three hours.',
      input: z.object({
        request_id: RequestId,
        intent: Intent,
        purchase_units: z.array(PurchaseUnitRequest).length(1),
        application_context: z
          .object({
            brand_name: z.string().min(1).max(127).optional().describe('Who the payer is shown as the seller'),
            return_url: Url.optional().describe('Where the payer goes after approving'),
            cancel_url: Url.optional().describe('Where the payer goes after turning back'),
          })
          .default({}),
      }),
      headers: requestHeader,
      responses: { 201: Order, 200: Order },
      errors: {
        ...amountFaults,
        ...requestFaults,
        not_a_merchant: problem(403, 'Only merchants take payments'),
        duplicate_invoice_id: problem(422, 'Another order of the merchant has this invoice_id'),
      },
      access: merchant,
      idempotent: 'natural',
    }),
    find: get('/v2/checkout/orders/{id}', {
      summary: 'One order, with its payments',
      input: byId,
      output: Order,
      errors: notFound,
      access: merchant,
    }),
    search: get('/v2/checkout/orders', {
      summary: 'The orders that a request or an invoice is about',
      description: 'Says what has become of a request whose answer was lost: nothing, when there is no order.',
      input: z.object({
        request_id: RequestId.optional().describe('The request id of any request, also of a capture or a refund'),
        invoice_id: z.string().max(127).optional(),
      }),
      output: z.object({ orders: z.array(Order) }),
      // Without it a misspelt name of a parameter would be answered as if nothing had happened.
      errors: { missing_required_parameter: problem(400, 'Say which: request_id or invoice_id') },
      access: merchant,
    }),
    authorize: post('/v2/checkout/orders/{id}/authorize', {
      summary: 'Hold the money of an approved order',
      description: 'For the intent AUTHORIZE. An authorization is voided by itself after 29 days.',
      input: byId.extend({ request_id: RequestId }),
      headers: requestHeader,
      responses: { 201: Order, 200: Order },
      errors: payingErrors,
      access: merchant,
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    capture: post('/v2/checkout/orders/{id}/capture', {
      summary: 'Take the money of an approved order',
      description: 'For the intent CAPTURE.',
      input: byId.extend({ request_id: RequestId }),
      headers: requestHeader,
      responses: { 201: Order, 200: Order },
      errors: payingErrors,
      access: merchant,
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    voidOrder: post('/v2/checkout/orders/{id}/void', {
      summary: 'Call an order off',
      description: 'Also one whose money is held, which is given back. From then on nothing can be taken for it.',
      input: byId,
      output: Order,
      errors: { ...notFound, order_already_captured: payingFaults.order_already_captured },
      access: merchant,
      idempotent: 'natural',
    }),
    approve: post('/v2/checkout/orders/{id}/approve', {
      summary: 'Approve an order as the payer',
      description: 'What the page behind the `approve` link does. Approving twice changes nothing more.',
      input: byId,
      output: Order,
      errors: {
        ...notFound,
        not_a_payer: problem(403, 'Only payers approve'),
        order_already_approved: problem(422, 'Somebody else has approved the order'),
        order_voided: payingFaults.order_voided,
      },
      access: payer,
      idempotent: 'natural',
    }),

    findAuthorization: get('/v2/payments/authorizations/{id}', {
      summary: 'One authorization',
      input: byId,
      output: Authorization,
      errors: notFound,
      access: merchant,
    }),
    captureAuthorization: post('/v2/payments/authorizations/{id}/capture', {
      summary: 'Take money that is held',
      description: 'Without an amount: all that is left. What is left after the final capture goes back to the payer.',
      input: byId.extend({
        request_id: RequestId,
        amount: Amount.optional(),
        final_capture: z.boolean().default(false),
      }),
      headers: requestHeader,
      responses: { 201: Capture, 200: Capture },
      errors: {
        ...notFound,
        ...requestFaults,
        ...amountFaults,
        ...capturingFaults,
        ...declined,
        auth_capture_currency_mismatch: problem(422, 'The authorization is in another currency'),
        max_capture_amount_exceeded: problem(422, 'More than is left of the authorization'),
      },
      access: merchant,
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    voidAuthorization: post('/v2/payments/authorizations/{id}/void', {
      summary: 'Give back money that is held',
      input: byId.extend({ request_id: RequestId }),
      headers: requestHeader,
      errors: {
        ...notFound,
        ...requestFaults,
        previously_voided: problem(422, 'The authorization is void already'),
        previously_captured: problem(422, 'All of the authorization has been captured'),
        authorization_denied: capturingFaults.authorization_denied,
      },
      access: merchant,
      idempotent: 'natural',
    }),
    findCapture: get('/v2/payments/captures/{id}', {
      summary: 'One capture',
      input: byId,
      output: Capture,
      errors: notFound,
      access: merchant,
    }),
    refundCapture: post('/v2/payments/captures/{id}/refund', {
      summary: 'Give money back to the payer',
      description: 'Without an amount: all that has not been refunded yet.',
      input: byId.extend({
        request_id: RequestId,
        amount: Amount.optional(),
        note_to_payer: z.string().min(1).max(255).optional(),
      }),
      headers: requestHeader,
      responses: { 201: Refund, 200: Refund },
      errors: {
        ...notFound,
        ...requestFaults,
        ...amountFaults,
        max_number_of_refunds_exceeded: tooMany,
        capture_fully_refunded: problem(422, 'All of the capture has been refunded'),
        capture_not_completed: problem(422, 'The capture was declined: there is nothing to refund'),
        refund_amount_exceeded: problem(422, 'More than is left of the capture'),
        refund_capture_currency_mismatch: problem(422, 'The capture is in another currency'),
        refund_failed_insufficient_funds: problem(422, 'The merchant has less than that'),
      },
      access: merchant,
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    findRefund: get('/v2/payments/refunds/{id}', {
      summary: 'One refund',
      input: byId,
      output: Refund,
      errors: notFound,
      access: merchant,
    }),

    approvalPage: get('/checkoutnow', {
      summary: 'The page where a payer signs in and approves an order',
      input: z.object({ token: z.uuid().describe('The id of the order') }),
      output: bytes({ contentTypes: ['text/html'] }),
      errors: notFound,
      access: anyone(),
    }),
    submitApproval: post('/checkoutnow', {
      summary: 'What the form of that page sends',
      input: z.object({
        form: bytes({ contentTypes: ['application/x-www-form-urlencoded'] }),
        client_address: z.string().max(64).optional(),
      }),
      headers: { client_address: clientAddressHeader },
      body: 'form',
      bodyMaxBytes: 8_192,
      output: bytes({ contentTypes: ['text/html'] }),
      errors: notFound,
      access: anyone(),
    }),
  },
  events: {
    orderApproved: event(OrderEvent, { key: 'orderId', summary: eventTypes.orderApproved }),
    orderVoided: event(OrderEvent, { key: 'orderId', summary: eventTypes.orderVoided }),
    authorizationCreated: event(AuthorizationEvent, { key: 'orderId', summary: eventTypes.authorizationCreated }),
    authorizationDenied: event(AuthorizationEvent, { key: 'orderId', summary: eventTypes.authorizationDenied }),
    authorizationVoided: event(AuthorizationEvent, { key: 'orderId', summary: eventTypes.authorizationVoided }),
    captureCompleted: event(CaptureEvent, { key: 'orderId', summary: eventTypes.captureCompleted }),
    captureDenied: event(CaptureEvent, { key: 'orderId', summary: eventTypes.captureDenied }),
    captureRefunded: event(RefundEvent, { key: 'orderId', summary: eventTypes.captureRefunded }),
  },
})

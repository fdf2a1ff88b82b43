import { encodeBytes } from 'trestle/contract'
import { implement, reply } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { readAmount } from '../money.ts'
import { approvalStep, openApproval } from './approval-steps.ts'
import { approveOrder } from './approve.ts'
import { callOff } from './call-off.ts'
import { orders } from './contract.ts'
import { createOrder } from './create.ts'
import { decideAuthorize, decideCapture, decideCaptureAuthorization, decideRefund, decideVoid } from './decide.ts'
import { move } from './move.ts'
import { paymentOf, standingOf } from './order-rows.ts'
import { searchOrders } from './search.ts'
import type { OrdersTables } from './tables.ts'
import { expireAuthorizations, expireOrders, settleAbandoned } from './tidy.ts'
import { uses } from './uses.ts'
import { authorizationView, captureView, orderView, refundView } from './views.ts'

const impl = implement(orders, {
  uses,
  store: postgres<OrdersTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const create = impl.handler('create', async (args) => {
  const { input, caller, fail } = args
  const { request_id, ...asked } = input
  const merchant_id = caller.tenant ?? fail('not_a_merchant')
  const [unit] = input.purchase_units
  if (unit === undefined) throw new TypeError('an order is about one purchase unit')
  const money = readAmount(unit.amount)
  if (typeof money === 'string') return fail(money)
  const { brand_name = null, return_url = null, cancel_url = null } = input.application_context
  const { reference_id, description = null, custom_id = null, invoice_id = null } = unit
  const created = await createOrder(args, {
    ...money,
    name: { merchant_id, operation: 'create', request_id },
    asked,
    details: {
      intent: input.intent,
      reference_id,
      description,
      custom_id,
      invoice_id,
      brand_name,
      return_url,
      cancel_url,
    },
  })
  if (created.kind === 'refused') return fail(created.code)
  return reply(created.first ? 201 : 200, orderView(created.standing))
})

const find = impl.handler('find', async ({ input, caller, store, fail }) => {
  const standing = await standingOf(store.db, input.id)
  if (standing === undefined || standing.order.merchant_id !== caller.tenant) return fail('invalid_resource_id')
  return orderView(standing)
})

const search = impl.handler('search', async ({ input, caller, store, fail }) => {
  if (input.request_id === undefined && input.invoice_id === undefined) return fail('missing_required_parameter')
  return { orders: (await searchOrders(store.db, caller.tenant ?? '', input)).map(orderView) }
})

const authorize = impl.handler('authorize', async (args) => {
  const { input, caller, fail } = args
  const merchant_id = caller.tenant ?? fail('invalid_resource_id')
  const moved = await move(args, {
    name: { merchant_id, operation: 'authorize', request_id: input.request_id },
    asked: null,
    orderId: input.id,
    decide: decideAuthorize,
  })
  if (moved.kind === 'refused') return fail(moved.code)
  if (moved.payment.state === 'refused') return fail('instrument_declined')
  return reply(moved.first ? 201 : 200, orderView(moved.standing))
})

const capture = impl.handler('capture', async (args) => {
  const { input, caller, fail } = args
  const merchant_id = caller.tenant ?? fail('invalid_resource_id')
  const moved = await move(args, {
    name: { merchant_id, operation: 'capture', request_id: input.request_id },
    asked: null,
    orderId: input.id,
    decide: decideCapture,
  })
  if (moved.kind === 'refused') return fail(moved.code)
  if (moved.payment.state === 'refused') return fail('instrument_declined')
  return reply(moved.first ? 201 : 200, orderView(moved.standing))
})

const voidOrder = impl.handler('voidOrder', async (args) => {
  const { input, caller, fail } = args
  const calledOff = await callOff(args, input.id, caller.tenant ?? fail('invalid_resource_id'))
  return typeof calledOff === 'string' ? fail(calledOff) : orderView(calledOff)
})

const approve = impl.handler('approve', async (args) => {
  const { input, caller, fail } = args
  // Operators may ask everything, and have no wallet.
  if (!z.uuid().safeParse(caller.id).success) return fail('not_a_payer')
  const approved = await approveOrder(args, input.id, caller.id)
  return typeof approved === 'string' ? fail(approved) : orderView(approved)
})

const findAuthorization = impl.handler('findAuthorization', async ({ input, caller, store, fail }) => {
  const found = (await paymentOf(store.db, caller.tenant, 'authorization', input.id)) ?? fail('invalid_resource_id')
  return authorizationView(found.standing, found.payment)
})

const captureAuthorization = impl.handler('captureAuthorization', async (args) => {
  const { input, caller, store, fail } = args
  const { id, request_id, ...asked } = input
  const found = (await paymentOf(store.db, caller.tenant, 'authorization', id)) ?? fail('invalid_resource_id')
  const { merchant_id, id: orderId } = found.standing.order
  const moved = await move(args, {
    name: { merchant_id, operation: 'capture-authorization', request_id },
    asked: { id, ...asked },
    orderId,
    decide: (standing) => decideCaptureAuthorization(standing, id, asked),
  })
  if (moved.kind === 'refused') return fail(moved.code)
  if (moved.payment.state === 'refused') return fail('instrument_declined')
  return reply(moved.first ? 201 : 200, captureView(moved.standing, moved.payment))
})

const voidAuthorization = impl.handler('voidAuthorization', async (args) => {
  const { input, caller, store, fail } = args
  const { id, request_id } = input
  const found = (await paymentOf(store.db, caller.tenant, 'authorization', id)) ?? fail('invalid_resource_id')
  const { merchant_id, id: orderId } = found.standing.order
  const moved = await move(args, {
    name: { merchant_id, operation: 'void', request_id },
    asked: id,
    orderId,
    decide: (standing) => decideVoid(standing, id),
  })
  if (moved.kind === 'refused') fail(moved.code)
})

const findCapture = impl.handler('findCapture', async ({ input, caller, store, fail }) => {
  const found = (await paymentOf(store.db, caller.tenant, 'capture', input.id)) ?? fail('invalid_resource_id')
  return captureView(found.standing, found.payment)
})

const refundCapture = impl.handler('refundCapture', async (args) => {
  const { input, caller, store, fail } = args
  const { id, request_id, ...asked } = input
  const found = (await paymentOf(store.db, caller.tenant, 'capture', id)) ?? fail('invalid_resource_id')
  const { merchant_id, id: orderId } = found.standing.order
  const moved = await move(args, {
    name: { merchant_id, operation: 'refund', request_id },
    asked: { id, ...asked },
    orderId,
    decide: (standing) => decideRefund(standing, id, asked),
  })
  if (moved.kind === 'refused') return fail(moved.code)
  if (moved.payment.state === 'refused') return fail('refund_failed_insufficient_funds')
  return reply(moved.first ? 201 : 200, refundView(moved.standing, moved.payment))
})

const findRefund = impl.handler('findRefund', async ({ input, caller, store, fail }) => {
  const found = (await paymentOf(store.db, caller.tenant, 'refund', input.id)) ?? fail('invalid_resource_id')
  return refundView(found.standing, found.payment)
})

const approvalPage = impl.handler('approvalPage', async (args) =>
  htmlOf((await openApproval(args, args.input.token)) ?? args.fail('invalid_resource_id')),
)

const submitApproval = impl.handler('submitApproval', async (args) =>
  htmlOf((await approvalStep(args, args.input)) ?? args.fail('invalid_resource_id')),
)

export default impl.service({
  handlers: {
    create,
    find,
    search,
    authorize,
    capture,
    voidOrder,
    approve,
    findAuthorization,
    captureAuthorization,
    voidAuthorization,
    findCapture,
    refundCapture,
    findRefund,
    approvalPage,
    submitApproval,
  },
  jobs: [
    impl.every('2 seconds', 'settle-abandoned', async (args) => again(await settleAbandoned(args))),
    impl.every('30 seconds', 'expire-orders', async (args) => again(await expireOrders(args))),
    impl.every('30 seconds', 'expire-authorizations', async (args) => again(await expireAuthorizations(args))),
  ],
})

function again(more: boolean): 'again' | undefined {
  return more ? 'again' : undefined
}

function htmlOf(page: string): string {
  return encodeBytes(Buffer.from(page))
}

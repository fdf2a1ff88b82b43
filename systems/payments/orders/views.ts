import { writeAmount } from '../money.ts'
import type { Authorization, Capture, Order, Refund } from './resources.ts'
import { authorizationStanding, captureStanding, type Standing } from './standing.ts'
import type { OrderRow, PaymentRow } from './tables.ts'

type Action = readonly [rel: string, method: 'GET' | 'POST', path: string]

/** An order as merchants and payers see it. */
export function orderView(standing: Standing): Order {
  const { order } = standing
  return {
    id: order.id,
    intent: order.intent,
    status: order.status,
    purchase_units: [
      {
        reference_id: order.reference_id,
        amount: writeAmount(BigInt(order.amount), order.currency),
        payee: { merchant_id: order.merchant_id },
        ...given({ description: order.description }),
        ...own(order),
        ...paymentsView(standing),
      },
    ],
    ...(order.payer_id === null ? {} : { payer: { payer_id: order.payer_id } }),
    ...times(order, order.updated_at),
    links: links(orderActions(order)),
  }
}

function orderActions({ id, status, intent }: OrderRow): readonly Action[] {
  const path = `/v2/checkout/orders/${id}`
  const pay = intent === 'CAPTURE' ? 'capture' : 'authorize'
  return [
    ['self', 'GET', path],
    ...(status === 'CREATED' ? [['approve', 'GET', `/checkoutnow?token=${id}`] as const] : []),
    ...(status === 'CREATED' || status === 'APPROVED' ? [[pay, 'POST', `${path}/${pay}`] as const] : []),
  ]
}

function paymentsView(standing: Standing) {
  const payments = standing.payments.filter(({ state }) => state === 'done')
  if (payments.length === 0) return {}
  const of = (kind: PaymentRow['kind']) => payments.filter((each) => each.kind === kind)
  return {
    payments: {
      authorizations: of('authorization').map((row) => authorizationView(standing, row)),
      captures: of('capture').map((row) => captureView(standing, row)),
      refunds: of('refund').map((row) => refundView(standing, row)),
    },
  }
}

/** An authorization as merchants see it. */
export function authorizationView(standing: Standing, row: PaymentRow): Authorization {
  const { status, left, updatedAt } = authorizationStanding(standing, row)
  const path = `/v2/payments/authorizations/${row.id}`
  return {
    status,
    expiration_time: (row.expires_at ?? row.created_at).toISOString(),
    ...paymentView(standing, row, updatedAt),
    links: links([
      ['self', 'GET', path],
      ...(left > 0n
        ? ([
            ['capture', 'POST', `${path}/capture`],
            ['void', 'POST', `${path}/void`],
          ] as const)
        : []),
      up(row),
    ]),
  }
}

/** A capture as merchants see it. */
export function captureView(standing: Standing, row: PaymentRow): Capture {
  const { status, left, updatedAt } = captureStanding(standing, row)
  const path = `/v2/payments/captures/${row.id}`
  return {
    status,
    final_capture: row.final,
    ...paymentView(standing, row, updatedAt),
    links: links([
      ['self', 'GET', path],
      ...(left > 0n ? [['refund', 'POST', `${path}/refund`] as const] : []),
      row.about === null ? up(row) : ['up', 'GET', `/v2/payments/authorizations/${row.about}`],
    ]),
  }
}

/** A refund as merchants see it. */
export function refundView(standing: Standing, row: PaymentRow): Refund {
  return {
    status: row.state === 'refused' ? 'FAILED' : 'COMPLETED',
    ...given({ note_to_payer: row.note }),
    ...paymentView(standing, row, row.updated_at),
    links: links([
      ['self', 'GET', `/v2/payments/refunds/${row.id}`],
      ['up', 'GET', `/v2/payments/captures/${row.about}`],
    ]),
  }
}

function paymentView({ order }: Standing, row: PaymentRow, updatedAt: Date) {
  const about = row.kind === 'refund' ? { capture_id: row.about } : { authorization_id: row.about }
  return {
    id: row.id,
    amount: writeAmount(BigInt(row.amount), order.currency),
    ...own(order),
    supplementary_data: { related_ids: { order_id: order.id, ...given(about) } },
    ...times(row, updatedAt),
  }
}

function up({ order_id }: PaymentRow): Action {
  return ['up', 'GET', `/v2/checkout/orders/${order_id}`]
}

/** What the merchant calls it. */
function own({ custom_id, invoice_id }: OrderRow) {
  return given({ custom_id, invoice_id })
}

function times({ created_at }: { readonly created_at: Date }, updatedAt: Date) {
  return { create_time: created_at.toISOString(), update_time: updatedAt.toISOString() }
}

/** Paths of this gateway, or whole addresses where it is known by which one it is reached. */
function links(actions: readonly Action[]) {
  const base = process.env.PAYMENTS_PUBLIC_URL?.replace(/\/$/, '') ?? ''
  return actions.map(([rel, method, path]) => ({ href: base + path, rel, method }))
}

/** Without the fields that are null. */
function given<Fields extends Record<string, string | null>>(fields: Fields): { [K in keyof Fields]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as never
}

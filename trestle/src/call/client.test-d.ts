import { orders, type stock } from '../service/fixtures/shop.ts'
import { isCallError } from './call-error.ts'
import type { Client } from './client.ts'

declare const call: { orders: Client<typeof orders>; stock: Client<typeof stock> }

const order = await call.orders.find({ id: 'a' })
order.id satisfies string
order.lines[0]?.quantity satisfies number | undefined
// @ts-expect-error: the contract has no such field
order.total satisfies unknown

// @ts-expect-error: the input lacks `id`
await call.orders.find({})
// @ts-expect-error: `id` is a string
await call.orders.find({ id: 1 })
// @ts-expect-error: no such operation
await call.orders.remove({ id: 'a' })

await call.orders.find({ id: 'a' }, { timeoutMs: 500, signal: AbortSignal.timeout(10) })
// @ts-expect-error: no such option
await call.orders.find({ id: 'a' }, { timeout: 500 })

await call.stock.reserve({ orderId: 'a', lines: [] }, { key: 'k' })
// @ts-expect-error: an operation that is idempotent by key needs one
await call.stock.reserve({ orderId: 'a', lines: [] })
// @ts-expect-error: also among other options
await call.stock.reserve({ orderId: 'a', lines: [] }, { timeoutMs: 5 })
// @ts-expect-error: also with `try`
await call.stock.reserve.try({ orderId: 'a', lines: [] })

const nothing: void = await call.orders.settle({ id: 'a' })
nothing satisfies void

const result = await call.stock.reserve.try({ orderId: 'a', lines: [] }, { key: 'k' })
if (result.ok) {
  result.value.reserved satisfies number
  // @ts-expect-error: a success has no error
  result.error satisfies unknown
} else if (result.error.code === 'out_of_stock') {
  result.error.details.sku satisfies string
  result.error.declared satisfies true
} else if (result.error.code === 'stock_frozen') {
  result.error.details satisfies undefined
} else {
  result.error.declared satisfies false
  result.error.retry satisfies 'safe' | 'unknown' | 'no'
  // @ts-expect-error: the contract does not declare this code, nor does the platform
  if (result.error.code === 'cart_empty') throw new Error('unreachable')
}

const archived = await call.orders.archive({ id: 'a' })
if (archived.status === 202) archived.body.job satisfies string
else archived.body.archived satisfies boolean

try {
  await call.orders.find({ id: 'a' })
} catch (error) {
  if (isCallError(error)) error.code satisfies string
  if (isCallError(error, orders.operations.find) && error.declared) error.code satisfies 'order_not_found'
}

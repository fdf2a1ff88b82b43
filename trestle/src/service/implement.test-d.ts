import type { Kysely } from 'kysely'
import { z } from 'zod'
import { command, contract } from '../contract/index.ts'
import type { StoreSpec } from '../store/store.ts'
import { orders, stock } from './fixtures/shop.ts'
import { implement } from './implement.ts'
import { reply } from './reply.ts'

interface Tables {
  readonly orders: { readonly id: string }
}
declare const store: StoreSpec<Tables>

const quiet = contract('quiet', {
  version: '1.0.0',
  operations: {
    strike: command({ idempotent: 'key' }),
    choose: command({
      responses: { 200: z.object({ done: z.boolean() }), 202: z.object({ job: z.string() }) },
      idempotent: 'key',
    }),
  },
})

const impl = implement(orders, { uses: { stock }, store })

const find = impl.handler('find', async ({ input, caller, call, store: own, fail, key, now, newId, timeLeftMs }) => {
  input.tags satisfies string[] | undefined
  caller.scopes satisfies readonly string[]
  own.db satisfies Kysely<Tables>
  key satisfies string | undefined
  now() satisfies number
  newId() satisfies string
  timeLeftMs() satisfies number
  const { count } = await call.stock.count({ sku: 'a' })
  if (count === 0) return fail('order_not_found')
  if (count === 1) return fail('order_not_found', { detail: 'for people', retryAfterMs: 1_000 })
  return { id: input.id, lines: [] }
})

const place = impl.handler('place', async ({ fail, call, store: own, key }) => {
  key satisfies string
  if (Math.random() > 2) return fail('out_of_stock', { sku: 'a' }, { detail: 'only two left' })
  // @ts-expect-error: this code needs details
  if (Math.random() > 2) return fail('out_of_stock')
  // @ts-expect-error: of this shape
  if (Math.random() > 2) return fail('out_of_stock', { sku: 1 })
  // @ts-expect-error: the operation does not declare this code
  if (Math.random() > 2) return fail('order_not_found')
  // @ts-expect-error: `orders` does not declare that it uses `carts`
  call.carts satisfies unknown
  // Work with a key derives the keys of its calls.
  await call.stock.reserve({ orderId: 'a', lines: [] })
  if (Math.random() > 2) {
    const order = await own.transaction(async () => ({ id: 'b' }))
    // It is what the contract says, and can be read.
    order.id satisfies string
    return order
  }
  return own.transaction(async ({ db }) => {
    db satisfies Kysely<Tables>
    return Math.random() > 2 ? fail('cart_empty') : { id: 'a' }
  })
})

// @ts-expect-error: with a key and a store the reply is what the transaction gave
impl.handler('place', async () => ({ id: 'a' }))
// @ts-expect-error: not something that was made of it either
impl.handler('place', async ({ store: own }) => ({ id: (await own.transaction(async () => ({ id: 'a' }))).id }))
impl.handler('place', async ({ store: own }) => {
  // @ts-expect-error: what the transaction gives is not what the contract says
  return own.transaction(async () => ({ identity: 'a' }))
})
const silent = implement(quiet, { store })
silent.handler('strike', async ({ store: own }) => own.transaction(async () => {}))
// @ts-expect-error: without an output, too, the transaction makes the reply
silent.handler('strike', async ({ store: own }) => {
  await own.transaction(async () => {})
})
silent.handler('choose', async ({ store: own }) => own.transaction(async () => reply(202, { job: 'a' })))
// @ts-expect-error: this status has another body
silent.handler('choose', async ({ store: own }) => own.transaction(async () => reply(202, { done: true })))
// Without a store there is nowhere to keep a reply.
implement(quiet).handler('strike', async ({ store: none }) => none satisfies undefined)

const cancel = impl.handler('cancel', async ({ fail, call }) => {
  // @ts-expect-error: the callee wants a key, and this work has none to derive it from
  await call.stock.reserve({ orderId: 'a', lines: [] })
  // @ts-expect-error: the operation declares no error
  if (Math.random() > 2) fail('order_not_found')
})

const archive = impl.handler('archive', async ({ input }) =>
  input.id === 'now' ? reply(200, { archived: true }) : reply(202, { job: 'a' }),
)
// @ts-expect-error: this status has another body
impl.handler('archive', async () => reply(202, { archived: true }))
// @ts-expect-error: the operation declares no such status
impl.handler('archive', async () => reply(204))
// @ts-expect-error: an operation with several success replies must choose one
impl.handler('archive', async () => ({ archived: true }))

const old = impl.handler('old', () => ({ ok: true }))
const settle = impl.handler('settle', () => {})

// @ts-expect-error: the output lacks `lines`
impl.handler('find', async ({ input }) => ({ id: input.id }))
// @ts-expect-error: no such operation
impl.handler('remove', async () => {})
// @ts-expect-error: there is an output, and nothing is returned
impl.handler('old', async () => {})

impl.service({
  handlers: { find, place, cancel, archive, old, settle },
  start: async ({ store: own, progress }) => {
    own.db satisfies Kysely<Tables>
    progress('loaded 10 of 100')
  },
  jobs: [
    impl.every('15 minutes', 'expire', async ({ store: own, call, signal }) => {
      own.db satisfies Kysely<Tables>
      await call.stock.count({ sku: 'a' }, { signal })
    }),
  ],
})
// @ts-expect-error: not a duration
impl.every('often', 'expire', async () => {})

// Inline handlers are inferred the same.
impl.service({
  handlers: {
    find: async ({ input, fail }) => (input.id === 'a' ? { id: input.id, lines: [] } : fail('order_not_found')),
    place,
    cancel,
    archive,
    old,
    settle,
  },
})
// @ts-expect-error: `settle` has no handler
impl.service({ handlers: { find, place, cancel, archive, old } })
// @ts-expect-error: `remove` is no operation
impl.service({ handlers: { find, place, cancel, archive, old, settle, remove: settle } })

const several = implement([orders, stock], { name: 'everything' })
const count = several.handler(stock, 'count', ({ input, store: none }) => {
  none satisfies undefined
  return { count: input.sku.length }
})
several.service({
  handlers: [
    {
      find: ({ input }) => ({ id: input.id, lines: [] }),
      place: () => ({ id: 'a' }),
      cancel: () => {},
      archive: () => reply(202, { job: 'a' }),
      old: () => ({ ok: true }),
      settle: () => {},
    },
    { count, reserve: ({ input }) => ({ reserved: input.lines.length }) },
  ],
})
// @ts-expect-error: the second contract has no handlers
several.service({ handlers: [{ find, place, cancel, archive, old, settle }] })

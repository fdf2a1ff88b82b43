import { z } from 'zod'
import { anyone, contract, get, query, signedIn } from '../../contract/index.ts'
import { aggregate } from './aggregate.ts'
import { optional, type PartRequest, part } from './part.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const proves = <T extends true>(): T | undefined => undefined

const Cart = z.object({ lines: z.array(z.object({ sku: z.string(), note: z.string().default('') })) })
const shop = contract('shop', {
  version: '1.0.0',
  operations: {
    products: query({
      input: z.object({ limit: z.int().default(20) }),
      output: z.object({ items: z.array(z.string()) }),
      access: anyone(),
    }),
    cart: get('/cart', { output: Cart, access: signedIn() }),
    advice: query({ input: z.object({ skus: z.array(z.string()) }), output: z.array(z.string()), access: anyone() }),
    clear: query({ access: anyone() }),
  },
})
const { products, cart, advice, clear } = shop.operations

const cartPart = part(cart, () => ({}))
const maybeCart = optional(cartPart, { timeoutMs: 100 })

// What is read is typed: an optional part may be null.
part(advice, [cartPart], (_, mine) => {
  proves<Equal<typeof mine, z.output<typeof Cart>>>()
  return { skus: mine.lines.map(({ sku }) => sku) }
})
part(advice, [cartPart, maybeCart], (_, first, second) => {
  proves<Equal<typeof second, z.output<typeof Cart> | null>>()
  return { skus: [...first.lines, ...(second?.lines ?? [])].map(({ sku }) => sku) }
})
// @ts-expect-error -- it may be null
part(advice, [maybeCart], (_, mine) => ({ skus: mine.lines.map(({ sku }) => sku) }))
// @ts-expect-error -- skus is missing
part(advice, () => ({}))
// @ts-expect-error -- limit is a number
part(products, () => ({ limit: 'many' }))
// @ts-expect-error -- an operation without an output cannot be a part
part(clear, () => ({}))
// @ts-expect-error -- already optional
optional(maybeCart)

// The request's input is known where the part is written.
const home = get('/home/{shelf}', {
  input: z.object({ shelf: z.string(), limit: z.int().default(12) }),
  access: anyone(),
})
aggregate(home, {
  products: part(products, ({ input, caller }) => {
    proves<Equal<typeof input, { shelf: string; limit: number }>>()
    proves<Equal<typeof caller.id, string>>()
    return { limit: input.limit }
  }),
  cart: maybeCart,
})
aggregate(home, {
  // @ts-expect-error -- the input has no such field
  products: part(products, ({ input }) => ({ limit: input.number })),
})
// A part that stands outside says what it needs; it must be there.
const outside = part(products, ({ input }: PartRequest<{ limit: number }>) => ({ limit: input.limit }))
aggregate(home, { products: outside })
aggregate(get('/bare', { access: anyone() }), {
  // @ts-expect-error -- this aggregate has no limit
  products: outside,
})

// A declared output is held against the parts.
const Home = z.object({ products: z.object({ items: z.array(z.string()) }), cart: Cart.nullable() })
const declared = get('/home', { output: Home, access: anyone() })
aggregate(declared, { products: part(products, () => ({})), cart: maybeCart })
aggregate(declared, { products: part(products, () => ({})), cart: cartPart })
// @ts-expect-error -- the declared output has a cart
aggregate(declared, { products: part(products, () => ({})) })
aggregate(declared, {
  products: part(products, () => ({})),
  // @ts-expect-error -- advice is no cart
  cart: part(advice, () => ({ skus: [] })),
})
aggregate(get('/home', { output: z.object({ cart: Cart }), access: anyone() }), {
  // @ts-expect-error -- it may be null, and the declared output says that it is not
  cart: maybeCart,
})
// A part may give more than the reply declares.
aggregate(
  get('/home', {
    output: z.object({ cart: z.object({ lines: z.array(z.object({ note: z.string() })) }) }),
    access: anyone(),
  }),
  {
    cart: part(cart, () => ({})),
  },
)

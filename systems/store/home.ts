import { anyone, get } from 'trestle/contract'
import { aggregate, optional, part } from 'trestle/gateway'
import { z } from 'zod'
import { carts } from './carts/contract.ts'
import { CategoryId, catalogue } from './catalogue/contract.ts'
import { recommendations } from './recommendations/contract.ts'

/** The store's first page: what it sells, what may please and, for who is signed in, what is in the cart. */
export const home = aggregate(
  get('/home', {
    summary: "Products, suggestions and the caller's cart in one reply",
    description: 'Whoever is not signed in has no cart: it is null, and `partial` says so.',
    input: z.object({ category: CategoryId.optional() }),
    access: anyone(),
    tags: ['home'],
  }),
  {
    products: part(catalogue.operations.list, ({ input }) => ({ ...input, limit: 12 })),
    cart: optional(
      part(carts.operations.mine, () => ({})),
      { timeoutMs: 500 },
    ),
    suggestions: optional(
      part(recommendations.operations.forCaller, () => ({})),
      { timeoutMs: 150 },
    ),
  },
)

import { anyone, contract, get, page, pageInput, problem, query } from 'trestle/contract'
import { z } from 'zod'
import { Product, Sku } from '../catalogue/contract.ts'

const Recommendations = z.object({
  items: z.array(Product.pick({ id: true, sku: true, name: true, price: true, priceVersion: true })),
})

/** Most products that are recommended at once. */
export const recommendedMax = 24

const limit = z.int().min(1).max(recommendedMax).default(6)

export const recommendations = contract('recommendations', {
  version: '1.0.0',
  owner: 'merchandising',
  summary: 'What people order together.',
  description: 'Counted from placed orders, a moment after they are placed.',
  operations: {
    forProduct: get('/products/{id}/recommendations', {
      summary: 'What is ordered together with a product, most often first',
      input: z.object({ id: z.uuid(), limit }),
      output: Recommendations,
      errors: { product_not_found: problem(404, 'There is no such product') },
      access: anyone(),
    }),
    forCaller: get('/recommendations', {
      summary: 'What goes with what the caller ordered last; for others, what is ordered most',
      input: z.object({ limit }),
      output: Recommendations,
      access: anyone(),
    }),

    counts: query({
      summary: 'In how many placed orders each product is, in the order of their units',
      input: z.object({ ...pageInput({ limitMax: 1_000 }) }),
      output: page(z.object({ sku: Sku, orders: z.int().min(0) })),
      errors: { cursor_invalid: problem(400) },
    }),
  },
})

import { anyone, contract, get, page, pageInput, problem, put, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Money } from '../money.ts'

export const Sku = z
  .string()
  .regex(/^[A-Z]{3}-[0-9]{6}$/)
  .meta({ id: 'Sku', description: 'Stock keeping unit', examples: ['KIT-000017'] })

export const CategoryId = z
  .string()
  .regex(/^[a-z]+(-[a-z]+)*$/)
  .max(60)

export const Product = z
  .object({
    id: z.uuid(),
    sku: Sku,
    name: z.string(),
    description: z.string(),
    category: CategoryId,
    price: Money,
    priceVersion: z.int().min(1).describe('Rises by one with each change of the price'),
  })
  .meta({ id: 'Product' })

export const Category = z
  .object({
    id: CategoryId,
    name: z.string(),
    parent: CategoryId.nullable().describe('null: a department'),
  })
  .meta({ id: 'Category' })

export const PriceVersion = z
  .object({ version: z.int().min(1), price: Money, from: z.iso.datetime() })
  .meta({ id: 'PriceVersion' })

const productNotFound = problem(404, 'There is no such product')

export const catalogue = contract('catalogue', {
  version: '1.0.0',
  owner: 'merchandising',
  summary: 'What the store sells, and for how much.',
  operations: {
    list: get('/products', {
      summary: 'Search or browse the products',
      description:
        'With `query` the best matches come first: words are combined with AND, "quoted words" are a phrase, `or` and `-word` work. A department covers its categories. `next` continues the same search; with another query or category it is refused.',
      input: z.object({
        query: z.string().max(200).optional(),
        category: CategoryId.optional(),
        ...pageInput(),
      }),
      output: page(Product),
      errors: { cursor_invalid: problem(400, 'The cursor is not one that this search gave out') },
      access: anyone(),
      examples: [{ input: { query: 'steel kettle', limit: 3 } }],
    }),
    find: get('/products/{id}', {
      summary: 'One product',
      input: z.object({ id: z.uuid() }),
      output: Product,
      errors: { product_not_found: productNotFound },
      access: anyone(),
    }),
    categories: get('/categories', {
      summary: 'Departments and their categories',
      output: page(Category),
      access: anyone(),
    }),
    prices: get('/products/{id}/prices', {
      summary: 'Every price that a product has had, newest first',
      input: z.object({
        id: z.uuid(),
        ...pageInput(),
      }),
      output: page(PriceVersion),
      errors: { product_not_found: productNotFound, cursor_invalid: problem(400) },
      access: anyone(),
    }),
    changePrice: put('/products/{id}/price', {
      summary: 'Change a price',
      description:
        'Adds a price version; asking for the price that a product has already changes nothing. Orders that were placed keep their price.',
      input: z.object({
        id: z.uuid(),
        amount: z.int().min(1).max(100_000_000).describe("Minor units of the product's currency"),
        expectedVersion: z.int().min(1).optional().describe('Refuse when the price has changed since this version'),
      }),
      output: Product,
      errors: {
        product_not_found: productNotFound,
        price_changed: problem(409, z.object({ version: z.int() }), 'The price has changed meanwhile'),
      },
      access: scopes('catalogue:write'),
    }),

    bySku: query({
      summary: 'Products with their current prices; unknown ones are left out',
      input: z.object({ skus: z.array(Sku).max(100) }),
      output: z.object({
        items: z.array(Product.pick({ id: true, sku: true, name: true, price: true, priceVersion: true })),
      }),
    }),
  },
})

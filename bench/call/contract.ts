import { z } from 'zod'
import { anyone, contract, get } from '../../trestle/src/contract/index.ts'

export const Order = z.object({
  id: z.string(),
  status: z.enum(['pending', 'confirmed']),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int().min(1), price: z.int() })),
  total: z.object({ amount: z.int(), currency: z.string().length(3) }),
})

export const Find = z.object({ id: z.string().min(1) })

export const orders = contract('orders', {
  version: '1.0.0',
  operations: { find: get('/orders/{id}', { input: Find, output: Order, access: anyone() }) },
})

export const order: z.input<typeof Order> = {
  id: 'o-1',
  status: 'pending',
  lines: [
    { sku: 'SKU-1', quantity: 1, price: 1_299 },
    { sku: 'SKU-2', quantity: 3, price: 450 },
    { sku: 'SKU-3', quantity: 2, price: 9_900 },
  ],
  total: { amount: 22_449, currency: 'EUR' },
}

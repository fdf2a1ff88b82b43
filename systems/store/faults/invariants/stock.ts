import { type Invariant, look } from 'trestle/testing'
import type { Level, OrderView } from '../view.ts'

interface StockSource {
  readonly levels: () => Promise<readonly Level[]>
  readonly orders: () => Promise<readonly OrderView[]>
}

/** What must be true of the stock of what the load buys. */
export function stockInvariants({ levels, orders }: StockSource): readonly Invariant[] {
  return [
    {
      name: 'stock: on_hand >= reserved >= 0',
      kind: 'always',
      look: async () =>
        look(await levels(), ({ sku, onHand, reserved }) =>
          onHand >= reserved && reserved >= 0 ? undefined : `${sku}: ${onHand} on hand, ${reserved} reserved`,
        ),
    },
    {
      name: 'stock: initial + restocked = on_hand + sold',
      kind: 'always',
      look: async () =>
        look(await levels(), ({ sku, initial, restocked, onHand, sold }) =>
          initial + restocked === onHand + sold
            ? undefined
            : `${sku}: ${initial} + ${restocked} came, ${onHand} are there and ${sold} sold`,
        ),
    },
    {
      name: 'stock: what is sold is in confirmed orders, what is reserved in pending ones, and nothing else is',
      kind: 'eventually',
      look: async () => {
        const [books, all] = await Promise.all([levels(), orders()])
        return look(books, (level) => {
          const sold = pieces(all, level.sku, 'confirmed')
          const reserved = pieces(all, level.sku, 'pending')
          return level.sold === sold && level.reserved === reserved
            ? undefined
            : `${level.sku}: ${level.sold} sold and ${level.reserved} reserved, in orders ${sold} and ${reserved}`
        })
      },
    },
  ]
}

function pieces(orders: readonly OrderView[], sku: string, status: string): number {
  return orders
    .filter((order) => order.status === status)
    .flatMap(({ lines }) => lines)
    .filter((line) => line.sku === sku)
    .reduce((sum, { quantity }) => sum + quantity, 0)
}

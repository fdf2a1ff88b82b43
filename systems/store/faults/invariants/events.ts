import { type Invariant, look } from 'trestle/testing'
import type { CountView, OrderView, ShipmentView } from '../view.ts'

interface EventsSource {
  readonly orders: () => Promise<readonly OrderView[]>
  readonly shipments: () => Promise<readonly ShipmentView[]>
  readonly counts: () => Promise<readonly CountView[]>
}

/** What must be true of services that follow orders by their events. */
export function eventInvariants({ orders, shipments, counts }: EventsSource): readonly Invariant[] {
  return [
    {
      name: 'shipping: one parcel is ready for each confirmed order, and none for others',
      kind: 'eventually',
      look: async () => {
        const ofOrder = Map.groupBy(await shipments(), ({ orderId }) => orderId)
        return look(await orders(), ({ id, status }) => {
          const ready = (ofOrder.get(id) ?? []).filter(({ state }) => state !== 'recalled').length
          const wanted = status === 'confirmed' ? 1 : 0
          return ready === wanted ? undefined : `order ${id} is ${status} and has ${ready} parcels`
        })
      },
    },
    {
      name: 'recommendations: each placed order is counted once',
      kind: 'eventually',
      look: async () => {
        const counted = new Map((await counts()).map(({ sku, orders: count }) => [sku, count]))
        const all = await orders()
        const skus = new Set([...counted.keys(), ...all.flatMap(({ lines }) => lines.map(({ sku }) => sku))])
        return look([...skus], (sku) => {
          const placed = all.filter(({ lines }) => lines.some((line) => line.sku === sku)).length
          const count = counted.get(sku) ?? 0
          return count === placed ? undefined : `${sku} is in ${placed} orders and was counted ${count} times`
        })
      },
    },
  ]
}

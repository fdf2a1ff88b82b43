import { type Invariant, look } from 'trestle/testing'
import type { CountView, OrderView, ShipmentView } from '../view.ts'

interface EventsSource {
  readonly orders: () => Promise<readonly OrderView[]>
  readonly shipments: () => Promise<readonly ShipmentView[]>
  readonly counts: () => Promise<readonly CountView[]>
  readonly mails: (ids: readonly string[]) => Promise<readonly (readonly string[])[]>
}

/** What must be true of services that follow orders by their events. */
export function eventInvariants({ orders, shipments, counts, mails }: EventsSource): readonly Invariant[] {
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
    {
      name: 'notifications: each buyer is told once of each end of an order',
      kind: 'eventually',
      look: async () => {
        const all = await orders()
        const told = await mails(all.map(({ id }) => id))
        return look(
          all.map(({ id, status }, index) => ({ id, status, kinds: told[index] ?? [] })),
          ({ id, status, kinds }) => {
            // A confirmed order may be cancelled later: then there are two ends, each told once.
            const allowed = [[status], ...(status === 'cancelled' ? [['confirmed', 'cancelled']] : [])]
            return allowed.some((each) => each.toSorted().join() === kinds.toSorted().join())
              ? undefined
              : `order ${id} is ${status}, and its buyer was told ${kinds.join(', ')}`
          },
        )
      },
    },
  ]
}

import { type Finding, type Invariant, look, type LoggedOperation, type Violation } from 'trestle/testing'
import type { OrderView } from '../view.ts'

interface OrdersSource {
  readonly orders: () => Promise<readonly OrderView[]>
  readonly allOrders: () => Promise<readonly Omit<OrderView, 'lines'>[]>
  readonly operations: () => readonly LoggedOperation[]
}

const ended = new Set(['confirmed', 'rejected', 'cancelled'])

interface PlacedReply {
  readonly id: string
  readonly total: { readonly amount: number }
}

/** What must be true of orders, and of what their buyers were told. */
export function orderInvariants({ orders, allOrders, operations }: OrdersSource): readonly Invariant[] {
  const placed = () => operations().filter(({ operation }) => operation === 'orders.place')
  return [
    {
      name: 'operations: one key has one outcome, however often it is asked under',
      kind: 'always',
      look: async () => sameOutcomes(operations()),
    },
    {
      name: 'orders: each that a buyer was told of is there, with the price that was told',
      kind: 'eventually',
      look: async () => {
        const byId = new Map((await orders()).map((order) => [order.id, order]))
        return look(
          placed().filter(({ outcome }) => outcome === 'ok'),
          ({ output }) => {
            const { id, total } = output as PlacedReply
            const order = byId.get(id)
            if (order === undefined) return `order ${id} is lost`
            return order.total.amount === total.amount ? undefined : `order ${id} has another price than was told`
          },
        )
      },
    },
    {
      name: 'orders: none that nobody has placed, and one for each key',
      kind: 'eventually',
      look: async () => ordersPerBuyer(await orders(), placed()),
    },
    {
      name: 'orders: each ends confirmed, rejected or cancelled',
      kind: 'eventually',
      look: async () =>
        look(await orders(), ({ id, status }) => (ended.has(status) ? undefined : `order ${id} is still ${status}`)),
    },
    {
      name: 'orders: what its buyer wants cancelled is not sold',
      kind: 'eventually',
      look: async () => {
        const byId = new Map((await orders()).map((order) => [order.id, order]))
        const wanted = operations().filter(
          ({ operation, outcome }) => operation === 'orders.cancel' && outcome === 'ok',
        )
        return look(wanted, ({ input }) => {
          const { orderId } = input as { orderId: string }
          const status = byId.get(orderId)?.status
          return status === 'cancelled' || status === 'rejected'
            ? undefined
            : `order ${orderId} was to be cancelled and is ${status}`
        })
      },
    },
    {
      name: 'orders: the operator sees the orders that buyers see, and no others',
      kind: 'eventually',
      look: async () => {
        const ofBuyers = new Set((await orders()).map(({ id }) => id))
        const all = await allOrders()
        const finding = look(all, ({ id }) => (ofBuyers.has(id) ? undefined : `nobody has order ${id}`))
        return all.length === ofBuyers.size
          ? finding
          : { ...finding, violations: [{ what: `${all.length} and ${ofBuyers.size} orders`, evidence: null }] }
      },
    },
  ]
}

function sameOutcomes(operations: readonly LoggedOperation[]): Finding {
  const known = operations.filter(({ outcome }) => outcome !== 'unknown')
  const byKey = Map.groupBy(known, ({ operation, key }) => `${operation} ${key}`)
  return look([...byKey], ([key, those]) => {
    const outcomes = new Set(those.map(({ outcome, code, output }) => JSON.stringify([outcome, code, output])))
    return outcomes.size === 1 ? undefined : `${key} has ${outcomes.size} outcomes`
  })
}

/** As many orders as keys that succeeded, and at most as many more as keys of which nobody knows. */
function ordersPerBuyer(orders: readonly OrderView[], placed: readonly LoggedOperation[]): Finding {
  const ofBuyer = Map.groupBy(orders, ({ customerId }) => customerId)
  const byBuyer = Map.groupBy(placed, ({ actor }) => actor ?? '')
  const strangers: readonly Violation[] = [...ofBuyer.keys()]
    .filter((buyer) => !byBuyer.has(buyer))
    .map((buyer) => ({ what: `buyer ${buyer} has orders and placed none`, evidence: ofBuyer.get(buyer) }))
  const finding = look([...byBuyer], ([buyer, operations]) => {
    const keys = (outcome: string) => new Set(operations.filter((one) => one.outcome === outcome).map(({ key }) => key))
    const sure = keys('ok')
    const open = [...keys('unknown')].filter((key) => !sure.has(key) && !keys('fail').has(key))
    const count = ofBuyer.get(buyer)?.length ?? 0
    return count >= sure.size && count <= sure.size + open.length
      ? undefined
      : `buyer ${buyer} has ${count} orders, placed ${sure.size} for certain and ${open.length} perhaps`
  })
  return { checked: finding.checked, violations: [...finding.violations, ...strangers] }
}

import { z } from 'zod'
import { contract, event } from '../contract/index.ts'
import type { Tx } from './store.ts'

const Day = z.codec(z.iso.date(), z.string(), { decode: (day) => day, encode: (day) => day })
const Placed = z.object({ id: z.string(), total: z.int().default(0), at: Day })
const orders = contract('orders', {
  version: '1.0.0',
  operations: {},
  events: {
    placed: event(Placed, { key: 'id', version: 2, upcast: { 1: (old) => ({ ...old, total: 0 }) } }),
    noted: event(Placed, {
      key: 'id',
      version: 2,
      upcast: { 1: (old: { readonly sum: number }) => ({ total: old.sum }) },
    }),
  },
})

declare const tx: Tx<{ rows: { id: number } }>

// What a publisher writes is the wire form: what has a default may be left out.
tx.publish(orders.events.placed, { id: 'a', at: '2030-01-01' })
// @ts-expect-error the key is missing
tx.publish(orders.events.placed, { at: '2030-01-01' })
// @ts-expect-error a number is no text
tx.publish(orders.events.noted, { id: 1, at: '2030-01-01' })
// @ts-expect-error not an event
tx.publish(orders, { id: 'a', at: '2030-01-01' })
// @ts-expect-error an upcast is a function
event(Placed, { key: 'id', version: 2, upcast: { 1: { id: 'a' } } })

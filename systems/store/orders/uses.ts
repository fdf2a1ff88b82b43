import type { JobArgs } from 'trestle/service'
import { carts } from '../carts/contract.ts'
import { catalogue } from '../catalogue/contract.ts'
import { inventory } from '../inventory/contract.ts'
import type { OrdersTables } from './tables.ts'

/** Whom orders calls. */
export const uses = { carts, catalogue, inventory }

/** What handlers and jobs of orders have in common: all that following an order needs. */
export type OrdersWork = Pick<JobArgs<typeof uses, OrdersTables>, 'call' | 'store' | 'now' | 'newId' | 'log'>

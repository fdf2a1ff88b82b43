import type { JobArgs } from 'trestle/service'
import { ledger } from '../ledger/contract.ts'
import { merchants } from '../merchants/contract.ts'
import { switches } from '../switches/contract.ts'
import { wallets } from '../wallets/contract.ts'
import type { OrdersTables } from './tables.ts'

/** Whom orders calls. */
export const uses = { ledger, wallets, merchants, switches }

/** What handlers and jobs of orders have in common. */
export type OrdersWork = Pick<JobArgs<typeof uses, OrdersTables>, 'call' | 'store' | 'now' | 'newId' | 'log'>

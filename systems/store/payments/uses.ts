import type { JobArgs } from 'trestle/service'
import { paymentProvider } from './provider/contract.ts'
import type { PaymentsTables } from './tables.ts'

/** Whom payments calls. */
export const uses = { provider: paymentProvider }

/** What handlers and jobs of payments have in common: all that following a payment needs. */
export type PaymentsWork = Pick<JobArgs<typeof uses, PaymentsTables>, 'call' | 'store' | 'now' | 'newId' | 'log'>

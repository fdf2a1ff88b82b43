import type { Caller } from 'trestle/service'
import { type StartedServices, startServices as startAny, type StartServicesOptions } from 'trestle/testing'
import { accounts } from '../accounts/contract.ts'
import accountsService from '../accounts/service.ts'
import { carts } from '../carts/contract.ts'
import cartsService from '../carts/service.ts'
import { catalogue } from '../catalogue/contract.ts'
import catalogueService from '../catalogue/service.ts'
import { inventory } from '../inventory/contract.ts'
import inventoryService from '../inventory/service.ts'
import { notifications } from '../notifications/contract.ts'
import notificationsService from '../notifications/service.ts'
import { orders } from '../orders/contract.ts'
import ordersService from '../orders/service.ts'
import { payments } from '../payments/contract.ts'
import paymentsService from '../payments/service.ts'
import { recommendations } from '../recommendations/contract.ts'
import recommendationsService from '../recommendations/service.ts'
import { shipping } from '../shipping/contract.ts'
import shippingService from '../shipping/service.ts'
import { type FakeProvider, fakeProvider } from './provider.ts'

const definitions = {
  accounts: accountsService,
  carts: cartsService,
  catalogue: catalogueService,
  inventory: inventoryService,
  notifications: notificationsService,
  orders: ordersService,
  payments: paymentsService,
  recommendations: recommendationsService,
  shipping: shippingService,
}

export type ServiceName = keyof typeof definitions
export type SentCall = Parameters<NonNullable<StartServicesOptions['intercept']>>[0]

/** Services of the store in this process over real databases. */
export interface Services extends StartedServices {
  /** The services, called by a user, or by whoever is given. */
  as(caller: Caller | string): ReturnType<typeof clientsOf>
  /** The wall clock of the services. */
  now(): number
  /** The payment system, when payments was started. */
  readonly provider: FakeProvider
  /**
   * Looks at each call before it is sent. What it throws becomes the failure of the call; the function that it returns
   * is run when the reply is there, before the caller gets it.
   */
  watch(look: ((call: SentCall) => (() => void) | void) | undefined): void
  /** Delays replies: the caller gets one when the promise for its call is settled. */
  hold(until: ((call: SentCall) => Promise<void> | undefined) | undefined): void
}

/** Starts the named services, with so few products that a test can wait for them. */
export async function startServices(names: readonly ServiceName[], products = 200): Promise<Services> {
  let look: Parameters<Services['watch']>[0]
  let until: Parameters<Services['hold']>[0]
  process.env.STORE_PRODUCTS = String(products)
  process.env.STORE_PASSWORD_BLOCKS = '1024'
  let ahead = 0
  const provider = fakeProvider()
  const services = await startAny(
    [...names.map((name) => definitions[name]), ...(names.includes('payments') ? [provider.service] : [])],
    {
      async intercept(call, next) {
        const after = look?.(call)
        const reply = await next(call)
        await until?.(call)
        after?.()
        return reply
      },
    },
  )
  return {
    ...services,
    provider,
    now: () => Date.now() + ahead,
    pass(ms) {
      ahead += ms
      services.pass(ms)
    },
    as: (caller) => clientsOf(services, typeof caller === 'string' ? user(caller) : caller),
    watch(next) {
      look = next
    },
    hold(next) {
      until = next
    },
  }
}

function clientsOf(services: StartedServices, caller: Caller) {
  return {
    accounts: services.client(accounts, caller),
    carts: services.client(carts, caller),
    catalogue: services.client(catalogue, caller),
    inventory: services.client(inventory, caller),
    notifications: services.client(notifications, caller),
    orders: services.client(orders, caller),
    payments: services.client(payments, caller),
    recommendations: services.client(recommendations, caller),
    shipping: services.client(shipping, caller),
  }
}

/** A user who may do what everybody may who signs up. */
export function user(id: string): Caller {
  return { kind: 'user', id, scopes: ['orders:read', 'orders:write'] }
}

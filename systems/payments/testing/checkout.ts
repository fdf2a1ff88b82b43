import { randomUUID } from 'node:crypto'
import type { Caller, Client } from 'trestle/service'
import { sql } from 'trestle/store'
import { type StartedServices, startServices, type StartServicesOptions } from 'trestle/testing'
import { ledger } from '../ledger/contract.ts'
import { orders } from '../orders/contract.ts'
import { switches } from '../switches/contract.ts'
import { wallets } from '../wallets/contract.ts'

export type SentCall = Parameters<NonNullable<StartServicesOptions['intercept']>>[0]

/** All that an order needs, in this process over real databases. */
export interface Checkout extends StartedServices {
  /** A merchant of a test's own. */
  merchant(): { readonly id: string } & ReturnType<typeof merchantClients>
  /** A payer with so much in the wallet. */
  payer(value: string): ReturnType<typeof newPayer>
  readonly switches: Client<typeof switches>
  /** The whole ledger, added up. */
  trialBalance(): ReturnType<Client<typeof ledger>['trialBalance']>
  /** The names of the events that were published about an order. */
  published(orderId: string): Promise<readonly string[]>
  /**
   * Looks at each call before it is sent, and what it returns is run before the reply is passed on. What either throws
   * is a crash there.
   */
  watch(look: ((call: SentCall) => (() => void) | undefined) | undefined): void
}

/** Starts the services. */
export async function startCheckout(): Promise<Checkout> {
  process.env['WALLETS_PASSWORD_BLOCKS'] = '1024'
  // Read when the service is loaded.
  process.env['PAYMENTS_SWITCHES'] = 'on'
  const definitions = await Promise.all([
    import('../ledger/service.ts'),
    import('../wallets/service.ts'),
    import('../switches/service.ts'),
    import('../identity/service.ts'),
    import('../merchants/service.ts'),
    import('../orders/service.ts'),
  ])
  let look: Parameters<Checkout['watch']>[0]
  const services = await startServices(
    definitions.map((module) => module.default),
    {
      async intercept(call, next) {
        const after = look?.(call)
        const reply = await next(call)
        after?.()
        return reply
      },
    },
  )
  return {
    ...services,
    merchant: () => {
      const id = `m-${randomUUID()}`
      return { id, ...merchantClients(services, id) }
    },
    payer: (value) => newPayer(services, value),
    switches: services.client(switches),
    trialBalance: () => services.client(ledger).trialBalance({}),
    async published(orderId) {
      const { rows } = await sql<{ type: string }>`
        select type from trestle.outbox where key = ${orderId} order by key_version`.execute(
        services.store('orders').db,
      )
      return rows.map(({ type }) => type)
    },
    watch(next) {
      look = next
    },
  }
}

function merchantClients(services: StartedServices, tenant: string) {
  const caller: Caller = { kind: 'key', id: 'client', tenant, scopes: ['payments'] }
  return { orders: services.client(orders, caller), ledger: services.client(ledger, caller) }
}

async function newPayer(services: StartedServices, value: string) {
  const made = await services.client(wallets).makePayer({ balance: { currency_code: 'EUR', value } })
  const caller: Caller = { kind: 'user', id: made.payer_id, scopes: ['payer'] }
  const { payer_id: id, email, password, access_token: token } = made
  return {
    id,
    email,
    password,
    token,
    orders: services.client(orders, caller),
    wallet: services.client(wallets, caller),
  }
}

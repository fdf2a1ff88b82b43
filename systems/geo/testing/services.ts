import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { accounts } from '../accounts/contract.ts'
import accountsService from '../accounts/service.ts'
import { billing } from '../billing/contract.ts'
import billingService from '../billing/service.ts'
import { type FakeAccess, fakeAccess } from './fake-access.ts'

/** Accounts and billing in this process over real databases, the platform's service of keys replaced. */
export interface Services extends StartedServices {
  readonly access: FakeAccess
  /** The services, called by the holder of a session. */
  as(accountId: string): ReturnType<typeof clientsOf>
}

/** Starts them. */
export async function startCustomers(): Promise<Services> {
  process.env.GEO_PASSWORD_BLOCKS = '1024'
  const access = fakeAccess()
  const services = await startServices([accountsService, billingService], { intercept: access.intercept })
  return { ...services, access, as: (id) => clientsOf(services, { kind: 'user', id, scopes: ['account'] }) }
}

function clientsOf(services: StartedServices, caller: Caller) {
  return { accounts: services.client(accounts, caller), billing: services.client(billing, caller) }
}

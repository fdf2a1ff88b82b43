import { expose, gateway } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { accounts } from './accounts/contract.ts'
import { carts } from './carts/contract.ts'
import { catalogue } from './catalogue/contract.ts'
import { home } from './home.ts'
import { inventory } from './inventory/contract.ts'
import { orders } from './orders/contract.ts'
import { sessions } from './sessions.ts'

/** An online store: five services, each with its own database, behind one gateway. */
export default system('store', {
  services: [
    run(accounts, () => import('./accounts/service.ts')),
    run(catalogue, () => import('./catalogue/service.ts')),
    run(inventory, () => import('./inventory/service.ts')),
    run(carts, () => import('./carts/service.ts')),
    run(orders, () => import('./orders/service.ts')),
  ],
  gateway: gateway({
    authenticate: [sessions],
    document: {
      title: 'The store',
      description: 'An online store: accounts, catalogue, carts, stock and orders.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    routes: [home, expose(accounts), expose(catalogue), expose(inventory), expose(carts), expose(orders)],
  }),
  topologies: { split: processPerService(), merged: oneProcess() },
})

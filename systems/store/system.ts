import { expose, gateway, rateLimit } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { accounts } from './accounts/contract.ts'
import { carts } from './carts/contract.ts'
import { catalogue } from './catalogue/contract.ts'
import { home } from './home.ts'
import { inventory } from './inventory/contract.ts'
import { orders } from './orders/contract.ts'
import { sessions } from './sessions.ts'

/** Each costs a hash on purpose: one network address must not keep the others from signing in. */
const attempts = rateLimit({
  name: 'attempts',
  per: 'ip',
  allow: 60,
  windowMs: 60_000,
  burst: 150,
  before: 'authentication',
})

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
    routes: [
      home,
      expose(accounts, { only: ['signUp', 'logIn'], policies: [attempts] }),
      expose(accounts, { except: ['signUp', 'logIn'] }),
      expose(catalogue),
      expose(inventory),
      expose(carts),
      expose(orders),
    ],
  }),
  topologies: { split: processPerService(), merged: oneProcess() },
})

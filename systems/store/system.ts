import { expose, gateway, rateLimit } from 'trestle/gateway'
import { beside, external, oneProcess, processPerService, run, system } from 'trestle/system'
import { accounts } from './accounts/contract.ts'
import { carts } from './carts/contract.ts'
import { catalogue } from './catalogue/contract.ts'
import { home } from './home.ts'
import { inventory } from './inventory/contract.ts'
import { notifications } from './notifications/contract.ts'
import { orders } from './orders/contract.ts'
import { payments } from './payments/contract.ts'
import { paymentProvider } from './payments/provider/contract.ts'
import { providerUrl } from './payments/provider/provider-url.ts'
import { recommendations } from './recommendations/contract.ts'
import { sessions } from './sessions.ts'
import { shipping } from './shipping/contract.ts'

/** Each costs a hash on purpose: one network address must not keep the others from signing in. */
const attempts = rateLimit({
  name: 'attempts',
  per: 'ip',
  allow: 60,
  windowMs: 60_000,
  burst: 150,
  before: 'authentication',
})

/** An online store: nine services, each with its own database, behind one gateway, and a payment system beside it. */
export default system('store', {
  beside: {
    payments: beside(new URL('../payments/system.ts', import.meta.url), {
      topology: 'merged',
      port: 4100,
      variable: 'PAYMENTS_URL',
    }),
  },
  services: [
    run(accounts, () => import('./accounts/service.ts')),
    run(catalogue, () => import('./catalogue/service.ts')),
    run(inventory, () => import('./inventory/service.ts')),
    run(carts, () => import('./carts/service.ts')),
    run(orders, () => import('./orders/service.ts')),
    run(payments, () => import('./payments/service.ts')),
    run(shipping, () => import('./shipping/service.ts')),
    run(recommendations, () => import('./recommendations/service.ts')),
    run(notifications, () => import('./notifications/service.ts')),
    external(paymentProvider, { url: providerUrl }),
  ],
  gateway: gateway({
    authenticate: [sessions],
    document: {
      title: 'The store',
      description: 'An online store: accounts, catalogue, carts, stock, orders, payments and shipments.',
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
      expose(payments),
      expose(shipping),
      expose(recommendations),
    ],
  }),
  topologies: { split: processPerService(), merged: oneProcess() },
})

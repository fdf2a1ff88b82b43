import { expose, gateway, headerRules, rateLimit } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { switchesAreOn } from './development.ts'
import { identity } from './identity/contract.ts'
import { ledger } from './ledger/contract.ts'
import { merchants } from './merchants/contract.ts'
import { orders } from './orders/contract.ts'
import { restErrors } from './rest-errors.ts'
import { switches } from './switches/contract.ts'
import { withhold } from './switches/withhold.ts'
import { clientSecrets, clientTokens, payerTokens } from './tokens.ts'
import { wallets } from './wallets/contract.ts'
import { webhooks } from './webhooks/contract.ts'

const minuteMs = 60_000

/** Passwords cost a hash on purpose, new merchants work for people: one network address gets few of both. */
const attempts = rateLimit({
  name: 'attempts',
  per: 'ip',
  allow: 60,
  burst: 150,
  windowMs: minuteMs,
  before: 'authentication',
})
/** A token is valid for hours; who asks for more than these tries secrets, or forgets tokens. */
const tokens = rateLimit({ name: 'tokens', per: 'ip', allow: 300, windowMs: minuteMs, before: 'authentication' })
/** Nobody needs a secret elsewhere, so all who show one there share a limit: `tokens` is not got round on other routes. */
const secretsElsewhere = rateLimit({
  name: 'secrets-elsewhere',
  per: ({ path, headers }) =>
    !path.startsWith('/v1/oauth2/') && /^basic /i.test(headers.get('authorization') ?? '') ? 'all' : undefined,
  allow: 60,
  windowMs: minuteMs,
  before: 'authentication',
})
const requests = rateLimit({ name: 'requests', per: 'caller', allow: 60_000, burst: 5_000, windowMs: minuteMs })

/** No other page shows the page where people approve as a part of itself, and nobody keeps it. */
const approval = headerRules({
  response: {
    set: {
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
      'X-Frame-Options': 'DENY',
    },
  },
})

/** What is reachable for tests alone. */
const forTests = switchesAreOn() ? [expose(switches), expose(wallets, { only: ['makePayer'] })] : []

/** A payment system: merchants ask, payers approve, money moves in a ledger, and merchants are told. */
export default system('payments', {
  services: [
    run(identity, () => import('./identity/service.ts')),
    run(merchants, () => import('./merchants/service.ts')),
    run(wallets, () => import('./wallets/service.ts')),
    run(ledger, () => import('./ledger/service.ts')),
    run(orders, () => import('./orders/service.ts')),
    run(webhooks, () => import('./webhooks/service.ts')),
    run(switches, () => import('./switches/service.ts')),
  ],
  gateway: gateway({
    authenticate: [clientTokens, payerTokens, clientSecrets],
    policies: [secretsElsewhere, requests],
    problemMembers: restErrors,
    document: {
      title: 'Payments',
      description:
        'Merchants ask for money, payers approve, and merchants are told what happened. Failures are problems (RFC 9457) that also have `name`, `message`, `debug_id`, `details` and `links`.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    routes: [
      expose(identity, { policies: [tokens] }),
      expose(merchants, { only: ['onboard'], policies: [attempts] }),
      expose(merchants, { except: ['onboard'] }),
      expose(wallets, { only: ['signUp', 'logIn'], policies: [attempts] }),
      expose(wallets, { except: ['signUp', 'logIn', 'makePayer'] }),
      expose(orders, { only: ['approvalPage'], policies: [approval] }),
      expose(orders, { only: ['submitApproval'], policies: [attempts, approval] }),
      expose(orders, { except: ['approvalPage', 'submitApproval'], policies: switchesAreOn() ? [withhold] : [] }),
      expose(ledger),
      expose(webhooks),
      ...forTests,
    ],
  }),
  topologies: { split: processPerService(), merged: oneProcess() },
})

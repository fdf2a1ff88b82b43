import { apiKeys, expose, gateway, plan, rateLimit } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { accounts } from './accounts/contract.ts'
import { attribution } from './attribution.ts'
import { billing } from './billing/contract.ts'
import { batchMax, lookup } from './lookup/contract.ts'
import { sessions } from './sessions.ts'

/** Passwords are tried at few addresses a minute; a whole office may sit behind one. */
const attempts = rateLimit({ name: 'attempts', per: 'ip', allow: 30, windowMs: 60_000, before: 'authentication' })

/** Proxies in front, which say who asks: `GEO_TRUSTED_PROXIES=10.0.0.0/8,192.0.2.7`. */
const trustedProxies = (process.env.GEO_TRUSTED_PROXIES ?? '').split(/[ ,]+/).filter(Boolean)

/** An IP-geolocation API: keys, a free and a premium plan, accounts and billing. */
export default system('geo', {
  services: [
    run(lookup, () => import('./lookup/service.ts')),
    run(accounts, () => import('./accounts/service.ts')),
    run(billing, () => import('./billing/service.ts')),
  ],
  gateway: gateway({
    trustedProxies,
    authenticate: [sessions, apiKeys({ query: 'api_key', realm: 'geo' })],
    document: {
      title: 'Geolocation',
      description:
        'Where an IP address is, and whose. IP geolocation by [DB-IP](https://db-ip.com); autonomous systems of [RouteViews](https://www.routeviews.org), DB-IP and the [NRO](https://www.nro.net); CC BY 4.0.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    routes: [
      expose(lookup, { only: ['find', 'at'], policies: [attribution] }),
      expose(lookup, { only: ['batch'], policies: [attribution], cost: batchMax }),
      expose(accounts, { only: ['signUp', 'logIn'], policies: [attempts] }),
      expose(accounts, { except: ['signUp', 'logIn'] }),
      expose(billing),
    ],
    plans: {
      free: plan({
        title: 'Free: the country of an address',
        routes: ['lookup.find', 'lookup.at'],
        quotas: [{ per: 'day', allow: 1_000 }],
        limits: [{ allow: 1, windowMs: 1_000 }],
      }),
      premium: plan({
        title: 'Premium: everything',
        routes: ['lookup.*'],
        quotas: [{ per: 'day', allow: 100_000 }],
        limits: [{ allow: 100, windowMs: 1_000 }],
      }),
    },
  }),
  topologies: { split: processPerService(), merged: oneProcess() },
})

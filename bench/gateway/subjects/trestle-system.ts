import { readFileSync } from 'node:fs'
import { anyone, contract, get, signedIn } from 'trestle/contract'
import {
  aggregate,
  apiKeys,
  type Authenticator,
  cors,
  gateway,
  jwt,
  part,
  plan,
  rateLimit,
  redirect,
  upstream,
} from 'trestle/gateway'
import { external, oneProcess, system } from 'trestle/system'
import { z } from 'zod'

/** What is on, as `trestle-main.ts` was told: `key,limit`. */
const features = new Set((process.env['BENCH_FEATURES'] ?? '').split(','))
const target = `http://127.0.0.1:${process.env['BENCH_UPSTREAM']}`
const on = <T>(feature: string, make: () => T): readonly T[] => (features.has(feature) ? [make()] : [])

const Item = z.object({
  sku: z.string(),
  name: z.string(),
  price: z.object({ amount: z.int(), currency: z.string() }),
  stock: z.int(),
})
const Document = z.object({ id: z.string(), items: z.array(Item) })
const id = z.object({ id: z.string() })

/** The upstream's one operation, as a service outside the system. */
const items = contract('items', {
  version: '1.0.0',
  operations: { find: get('/items/{id}', { input: id, output: Document, access: anyone() }) },
})
const item = (at: number) => part(items.operations.find, () => ({ id: String(at) }))

const authenticate: readonly Authenticator[] = [
  ...on('key', () => apiKeys()),
  ...on('jwt', () =>
    jwt({ issuer: 'https://id.example', audience: 'bench', jwks: JSON.parse(readFileSync('jwks.json', 'utf8')) }),
  ),
]

/** A gateway in front of one upstream, with nothing on but what is named. */
export default system('bench', {
  services: [external(items, { url: target })],
  gateway: gateway({
    authenticate,
    routes: [
      upstream('/items/{id}', [target], { access: authenticate.length === 0 ? anyone() : signedIn() }),
      aggregate(get('/five', { access: anyone() }), { a: item(1), b: item(2), c: item(3), d: item(4), e: item(5) }),
      ...on('routes', () => Array.from({ length: 10_000 }, (_, at) => redirect(`/old/${at}/{id}`, '/items/1'))).flat(),
    ],
    ...(features.has('quota') ? { plans: { premium: plan({ quotas: [{ per: 'day', allow: 100_000_000 }] }) } } : {}),
    policies: [
      ...on('limit', () => rateLimit({ per: 'caller', allow: 10_000_000, windowMs: 60_000 })),
      ...on('cors', () => cors({ origins: ['https://shop.example'] })),
    ],
  }),
  topologies: { merged: oneProcess() },
})

import { apiKeys } from '../authentication/api-keys.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import { jwt } from '../authentication/jwt.ts'
import { cache } from '../cache/cache.ts'
import { compress } from '../compress/compress.ts'
import { cors } from '../cors/cors.ts'
import { headerRules } from '../header-rules/header-rules.ts'
import type { CountersSpec } from '../limits/counters.ts'
import { rateLimit } from '../limits/rate-limit.ts'
import { redis } from '../limits/redis.ts'
import type { RouteSpec } from '../gateway.ts'
import { introspection } from '../oidc/introspection.ts'
import { oidc } from '../oidc/oidc.ts'
import { plan, type PlanSpec } from '../plans/plan.ts'
import type { Policy } from '../policy/policy.ts'
import { attempt, type Report } from './attempt.ts'
import type { ConfigPath } from './config-node.ts'
import { defined } from './defined.ts'
import type { AuthenticatorEntry, GatewayFile, RouteEntry } from './gateway-schema.ts'

type PolicyEntries = Pick<RouteEntry, 'limits' | 'cors' | 'cache' | 'compress'>

/** The rules of a route, or of all. */
export function policiesOf(
  { limits = [], cors: origins, cache: replies, compress: smaller }: PolicyEntries,
  path: ConfigPath,
  report: Report,
): readonly Policy[] {
  const made = [
    ...limits.map((limit, at) => attempt([...path, 'limits', at], report, () => rateLimit(defined(limit)))),
    origins && attempt([...path, 'cors'], report, () => corsOf(origins)),
    smaller && attempt([...path, 'compress'], report, () => compress(defined(smaller))),
    replies && attempt([...path, 'cache'], report, () => cache(defined(replies))),
  ]
  return made.filter((policy) => policy !== undefined)
}

/** Header rules of the whole gateway; those of a route go to its upstream. */
export function headersOf({ headers }: GatewayFile, report: Report): readonly Policy[] {
  const made = headers && attempt(['headers'], report, () => headerRules(rulesOf(headers)))
  return made === undefined ? [] : [made]
}

function rulesOf({ request = {}, response = {} }: NonNullable<GatewayFile['headers']>) {
  return { request: defined(request), response: defined(response) }
}

function corsOf({ origins, headers, ...rest }: NonNullable<RouteEntry['cors']>): Policy {
  return cors({
    ...defined(rest),
    origins: isAll(origins) ? '*' : origins,
    ...(headers === undefined ? {} : { headers: isAll(headers) ? ('*' as const) : headers }),
  })
}

function isAll(list: readonly string[]): boolean {
  return list.length === 1 && list[0] === '*'
}

/** What a way to be somebody brings along: a log-in has pages, and sends browsers to them. */
export interface Identities {
  readonly authenticate: readonly Authenticator[]
  readonly routes: readonly RouteSpec[]
  readonly policies: readonly Policy[]
}

/** Ways to be somebody, in their order. */
export function identitiesOf({ authenticate = [] }: GatewayFile, report: Report): Identities {
  const made = authenticate.map((entry, at) => attempt(['authenticate', at], report, () => identityOf(entry)))
  made.forEach((one, at) => checkNames(one, made.slice(0, at), ['authenticate', at], report))
  const all = made.filter((one) => one !== undefined)
  return {
    authenticate: all.flatMap((one) => one.authenticate),
    routes: all.flatMap((one) => one.routes),
    policies: all.flatMap((one) => one.policies),
  }
}

function checkNames(
  one: Identities | undefined,
  before: readonly (Identities | undefined)[],
  path: ConfigPath,
  report: Report,
): void {
  const taken = before.flatMap((other) => other?.authenticate.map(({ name }) => name) ?? [])
  const name = one?.authenticate.map((each) => each.name).find((each) => taken.includes(each))
  if (name !== undefined) report(path, `${name} is here a second time. Give this one another name, or remove it`)
}

function identityOf(entry: AuthenticatorEntry): Identities {
  if (entry.oidc === undefined) return { authenticate: [authenticatorOf(entry)], routes: [], policies: [] }
  const { toLogin = true, ...options } = entry.oidc
  const made = oidc(defined(options))
  return { authenticate: [made.sessions], routes: [made.pages], policies: toLogin ? [made.toLogin] : [] }
}

function authenticatorOf({ apiKeys: keys, jwt: tokens, introspection: opaque }: AuthenticatorEntry): Authenticator {
  if (opaque !== undefined) return introspection(defined(opaque))
  return tokens === undefined ? apiKeys(defined(keys ?? {})) : jwt(defined(tokens))
}

/** The plans by name; `undefined`: plans mean nothing here. */
export function plansOf({ plans }: GatewayFile, report: Report): Readonly<Record<string, PlanSpec>> | undefined {
  if (plans === undefined) return undefined
  const made = Object.entries(plans).flatMap(([name, entry]) => {
    const { quotas = [], limits = [], ...rest } = entry
    const options = { ...defined(rest), quotas: quotas.map(defined), limits: limits.map(defined) }
    const spec = attempt(['plans', name], report, () => plan(options))
    return spec === undefined ? [] : [[name, spec] as const]
  })
  return Object.fromEntries(made)
}

/** Where rate limits are counted. */
export function countersOf({ counters = 'process' }: GatewayFile, report: Report): CountersSpec | undefined {
  if (typeof counters === 'string') return counters
  return attempt(['counters', 'redis', 'url'], report, () => redis(defined(counters.redis)))
}

import { type Access, signedIn } from '../../contract/access.ts'
import { type ForeignDocumentOptions, foreignOptions, type ForeignSource } from '../document/foreign-source.ts'
import type { ClusterFeatures } from '../../registry/cluster-options.ts'
import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RouteOptions } from '../route/route-options.ts'
import { fieldsOf } from '../route/route-template.ts'
import { checkHeaderRules, type HeaderRules } from './header-rules.ts'
import { type PathRewrite, pathRewrite } from './path-rewrite.ts'
import { checkedTarget } from './target.ts'

/** One server behind an upstream. */
export interface UpstreamTarget {
  /** `http://host:port` or `https://host:port`; a path in it is put before every request's path. */
  readonly url: string
  /** Share of the traffic relative to the others; default 1, 0 gets none: `{ url, weight: 5 }` beside 95 is a canary. */
  readonly weight?: number
}

/** Whether the targets are alive, asked from time to time. */
export interface UpstreamHealth {
  /** Answered with 2xx or 3xx by a healthy target: `/healthz`. */
  readonly path: string
  /** Default 5,000. */
  readonly intervalMs?: number
  /** Until the head of its answer has come; default 1,000. */
  readonly timeoutMs?: number
}

/** A copy of requests that goes to another server; its replies are thrown away. */
export interface UpstreamMirror {
  /** `http://host:port` or `https://host:port`. */
  readonly to: string
  /** Of the requests, 0 to 100; default 100. */
  readonly percent?: number
}

/** How the gateway knows who answers over TLS. Without it: by the certificates that this computer trusts. */
export interface UpstreamTls {
  /** Certificates that are trusted instead, as PEM. */
  readonly ca?: string
}

/** What may be said of an upstream. */
export interface UpstreamOptions extends RouteOptions {
  /** Default: `signedIn()`. */
  readonly access?: Access
  /** Default: all, but `TRACE`. */
  readonly methods?: readonly string[]
  /** For plans, limits and logs; default: method and pattern. */
  readonly name?: string
  /** Beginning of the pattern that the upstream does not get: `/legacy`. */
  readonly stripPrefix?: string
  /** Put before what is left: `/v2`. */
  readonly addPrefix?: string
  /** The path that the upstream gets, with fields of the pattern, instead of prefixes: `/items/{id}`, `/v2/*`. */
  readonly rewrite?: string
  /** `target` (default): `Host` names the target. `keep`: it is the client's. */
  readonly host?: 'target' | 'keep'
  /** Until the head of the reply has come, retries included; default 30,000. */
  readonly timeoutMs?: number
  /** Longest silence within a reply's body, milliseconds; default 300,000. A stream that is silent for longer is broken off. */
  readonly idleTimeoutMs?: number
  /** Default 10 MiB: 413. */
  readonly bodyMaxBytes?: number
  /** Further attempts at requests that may be repeated; default 2. */
  readonly retries?: number
  /**
   * Upstreams of one pool lead to the same servers: what is learnt about a target through one of them holds for all, and its
   * health is asked once. They say the same `targets`, `health`, `resilience` and `tls`. Default: a pool of its own.
   */
  readonly pool?: string
  /** How targets are chosen, left alone and spared; `false` switches a part off. Default: all parts, as they come. */
  readonly resilience?: ClusterFeatures
  /** Fields that are set or removed on the way. */
  readonly headers?: { readonly request?: HeaderRules; readonly response?: HeaderRules }
  /** Default: targets are judged by their replies alone. */
  readonly health?: UpstreamHealth
  readonly mirror?: UpstreamMirror
  readonly tls?: UpstreamTls
  /** What the upstream says of itself: requests are held to it, and its operations stand in the gateway's document. */
  readonly openapi?: ForeignSource | ForeignDocumentOptions
  /** Tells the upstream who asks, in `Trestle-Caller-*`; default `false`. Only for those who cannot be reached past the gateway. */
  readonly identity?: boolean
}

/** Foreign servers behind a path, as data. */
export interface UpstreamSpec {
  readonly kind: 'upstream'
  readonly pattern: string
  readonly targets: readonly Required<UpstreamTarget>[]
  readonly name: string | undefined
  /** `['*']`: all. */
  readonly methods: readonly string[]
  readonly access: Access
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
  readonly rewrite: PathRewrite
  readonly host: 'target' | 'keep'
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
  readonly bodyMaxBytes: number
  readonly retries: number
  readonly pool: string | undefined
  readonly resilience: ClusterFeatures
  readonly headers: { readonly request: HeaderRules; readonly response: HeaderRules }
  readonly health: Required<UpstreamHealth> | undefined
  readonly mirror: Required<UpstreamMirror> | undefined
  readonly tls: UpstreamTls | undefined
  readonly openapi: Required<ForeignDocumentOptions> | undefined
  readonly identity: boolean
}

const token = /^[A-Z][A-Z-]{0,31}$/
const bodyMaxBytes = 10 * 1_024 * 1_024

/**
 * Fronts servers that know nothing of Trestle: what is below the pattern goes to one of them, with the gateway's
 * policies in front. Requests are given to the target that does best, retried where nothing can happen twice, and cut
 * off with a problem that says what went wrong: 502 (no valid answer), 503 (not reached), 504 (too late).
 * @throws TypeError for a pattern, a target or an option that is none
 * @example upstream('/legacy/*', ['http://127.0.0.1:9001', { url: 'http://127.0.0.1:9002', weight: 0.05 }],
 *   { stripPrefix: '/legacy', access: anyone() })
 */
export function upstream(
  pattern: string,
  targets: readonly (string | UpstreamTarget)[],
  options: UpstreamOptions = {},
): UpstreamSpec {
  const fail = (what: string) => new TypeError(`upstream(${pattern}): ${what}`)
  fieldsOf(pattern)
  if (targets.length === 0) throw fail('it needs at least one target')
  const all = targets.map((target) => checkedTarget(target, fail))
  const twice = all.find(({ url }, at) => all.findIndex((other) => other.url === url) !== at)
  if (twice !== undefined) throw fail(`the target ${twice.url} is named twice; give it a weight instead`)
  if (all.every(({ weight }) => weight === 0)) throw fail('every target has the weight 0')
  const { methods, headers = {} } = options
  if (methods?.length === 0) throw fail('methods is empty; leave it out for all')
  const odd = methods?.find((method) => !token.test(method))
  if (odd !== undefined) throw fail(`${JSON.stringify(odd)} is no method; write it in upper case`)
  checkHeaderRules(headers.request, fail)
  checkHeaderRules(headers.response, fail)
  return {
    kind: 'upstream',
    pattern,
    targets: all,
    name: options.name,
    methods: methods ?? ['*'],
    access: options.access ?? signedIn(),
    hosts: options.hosts ?? [],
    allowInPath: options.allowInPath ?? [],
    policies: options.policies ?? [],
    cost: options.cost ?? 1,
    rewrite: pathRewrite(pattern, options, fail),
    host: options.host ?? 'target',
    timeoutMs: atLeast(1, options.timeoutMs ?? 30_000, 'timeoutMs', fail),
    idleTimeoutMs: atLeast(1, options.idleTimeoutMs ?? 300_000, 'idleTimeoutMs', fail),
    bodyMaxBytes: atLeast(0, options.bodyMaxBytes ?? bodyMaxBytes, 'bodyMaxBytes', fail),
    retries: atLeast(0, options.retries ?? 2, 'retries', fail),
    pool: options.pool,
    resilience: options.resilience ?? {},
    headers: { request: headers.request ?? {}, response: headers.response ?? {} },
    health: options.health && checkedHealth(options.health, fail),
    mirror: options.mirror && checkedMirror(options.mirror, fail),
    tls: options.tls,
    openapi: options.openapi && foreignOptions(options.openapi),
    identity: options.identity ?? false,
  }
}

type Fail = (what: string) => TypeError

function atLeast(least: number, value: number, name: string, fail: Fail): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw fail(`${name} is a whole number from ${least}, not ${value}`)
}

function checkedHealth({ path, intervalMs = 5_000, timeoutMs = 1_000 }: UpstreamHealth, fail: Fail) {
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(path)) throw fail(`health.path is like /healthz, not ${JSON.stringify(path)}`)
  return {
    path,
    intervalMs: atLeast(10, intervalMs, 'health.intervalMs', fail),
    timeoutMs: atLeast(1, timeoutMs, 'health.timeoutMs', fail),
  }
}

function checkedMirror({ to, percent = 100 }: UpstreamMirror, fail: Fail) {
  if (!(percent >= 0 && percent <= 100)) throw fail(`mirror.percent is from 0 to 100, not ${percent}`)
  return { to: checkedTarget(to, fail).url, percent }
}

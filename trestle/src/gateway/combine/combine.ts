import { type Access, signedIn } from '../../contract/access.ts'
import { checkPartName } from '../aggregate/check-parts.ts'
import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RouteOptions } from '../route/route-options.ts'
import type { UpstreamSpec } from '../upstream/upstream.ts'

/** One request to an upstream, whose JSON becomes a field of the reply. */
export interface CombinedPart {
  /** With the pattern of the whole; its `rewrite` says what it is asked for. */
  readonly upstream: UpstreamSpec
  /** Its failure does not fail the reply: it is then `null`, and the reply says so. Default `false`. */
  readonly optional?: boolean
  /** Names of the query parameters that it gets; default none. */
  readonly query?: readonly string[]
}

/** What may be said of a reply that is put together from several upstreams. */
export interface CombineOptions extends RouteOptions {
  /** Default: `signedIn()`. Each part's own access holds besides. */
  readonly access?: Access
  /** For plans, limits and logs; default: method and pattern. */
  readonly name?: string
  /** For all of it; a part may have less. Default 30,000. */
  readonly timeoutMs?: number
  /** Of one part's reply; default 1 MiB. */
  readonly partMaxBytes?: number
}

/** One reply from several upstreams, as data. */
export interface CombineSpec {
  readonly kind: 'combine'
  readonly pattern: string
  readonly parts: readonly NamedUpstream[]
  readonly name: string | undefined
  readonly access: Access
  readonly timeoutMs: number
  readonly partMaxBytes: number
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
}

export interface NamedUpstream extends Required<CombinedPart> {
  readonly name: string
}

/**
 * Answers `GET` with one JSON object, of which each field is what an upstream says: `aggregate` for servers that know
 * nothing of Trestle. Parts are asked at the same time, each with its own header rules, retries and policies. A part fails
 * the reply unless it is `optional`; what is missing is `null` and named in `partial` and in `Trestle-Partial`.
 * @throws TypeError for a name or an option that is none, and for a part with another pattern or with a document
 * @example combine('/users/{id}/home', {
 *   user: { upstream: upstream('/users/{id}/home', ['http://10.0.0.1'], { rewrite: '/users/{id}', access: anyone() }) },
 *   orders: { upstream: upstream('/users/{id}/home', ['http://10.0.0.2'], { rewrite: '/orders/of/{id}', timeoutMs: 150 }),
 *     optional: true, query: ['limit'] },
 * }, { access: anyone(), timeoutMs: 2_000 })
 */
export function combine(
  pattern: string,
  parts: Readonly<Record<string, CombinedPart>>,
  options: CombineOptions = {},
): CombineSpec {
  const fail = (what: string) => new TypeError(`combine(${pattern}): ${what}`)
  const { timeoutMs = 30_000, partMaxBytes = 1_048_576 } = options
  for (const [name, value] of Object.entries({ timeoutMs, partMaxBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) throw fail(`${name} is a whole number from 1, not ${value}`)
  }
  const named = Object.entries(parts).map(([name, { upstream, optional = false, query = [] }]) => {
    checkPartName(name, fail)
    if (upstream.pattern !== pattern)
      throw fail(`${name} has the pattern ${upstream.pattern}; give it that of the whole`)
    if (upstream.openapi !== undefined) throw fail(`${name} has a document, which says nothing of a part`)
    const own = {
      // All have one pattern: without a pool or a name of its own each is called by its field.
      name: upstream.name ?? `${pattern} ${name}`,
      hosts: options.hosts ?? [],
      // One deadline for all of them.
      timeoutMs: Math.min(upstream.timeoutMs, timeoutMs),
    }
    return { name, upstream: { ...upstream, ...own }, optional, query }
  })
  if (named.length === 0) throw fail('it has no parts')
  return {
    kind: 'combine',
    pattern,
    parts: named,
    name: options.name,
    access: options.access ?? signedIn(),
    timeoutMs,
    partMaxBytes,
    hosts: options.hosts ?? [],
    allowInPath: options.allowInPath ?? [],
    policies: options.policies ?? [],
    cost: options.cost ?? 1,
  }
}

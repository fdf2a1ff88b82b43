import { type Access, anyone } from '../contract/access.ts'
import type { Policy } from './policy/policy.ts'
import type { PathAmbiguity } from './request/canonical-path.ts'
import type { RouteOptions } from './route/route-options.ts'
import { fieldsOf } from './route/route-template.ts'
import { type PathRewrite, pathRewrite } from './upstream/path-rewrite.ts'

/** What may be said of a redirect. */
export interface RedirectOptions extends RouteOptions {
  /** Default 308: for good, and with the same method. */
  readonly status?: 301 | 302 | 303 | 307 | 308
  /** Default: anyone; it tells nothing but an address. */
  readonly access?: Access
}

/** An address that has moved, as data. */
export interface RedirectSpec {
  readonly kind: 'redirect'
  readonly pattern: string
  /** `https://example.com`; empty: this host. */
  readonly origin: string
  readonly path: PathRewrite
  readonly status: number
  readonly access: Access
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
}

/**
 * Sends clients on: to a path of this host, or to another origin, with fields and `/*` of the pattern filled in and the
 * query kept. Where it leads is written here and never taken from a request.
 * @throws TypeError for a pattern, an address or a field that is none
 * @example redirect('/old/*', '/new/*') // 308, /old/a?b=c -> /new/a?b=c
 */
export function redirect(pattern: string, to: string, options: RedirectOptions = {}): RedirectSpec {
  const fail = (what: string) => new TypeError(`redirect(${pattern}): ${what}`)
  fieldsOf(pattern)
  const match = /^(https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?)?(\/(?!\/).*)$/.exec(to)
  if (match === null) throw fail(`${JSON.stringify(to)} is neither a path nor an address with a path`)
  const { status = 308, access = anyone(), hosts = [], allowInPath = [], policies = [], cost = 0 } = options
  if (![301, 302, 303, 307, 308].includes(status)) throw fail(`${status} is no status of a redirect`)
  const path = pathRewrite(pattern, { rewrite: match[2] as string }, fail)
  return { kind: 'redirect', pattern, origin: match[1] ?? '', path, status, access, hosts, allowInPath, policies, cost }
}

import type { Access } from '../../contract/access.ts'
import type { EdgeHandler, Policy, RouteFacts } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RouteKey } from './route-table.ts'

/** What answers at one address. */
export interface Endpoint extends RouteKey {
  /** `orders.place`; `undefined` for a page of the gateway itself, an upstream or a redirect. */
  readonly operation: string | undefined
  /** By which plans, limits and usage name it; default: the operation, or method and template. */
  readonly name?: string | undefined
  readonly target: RouteFacts['target']
  readonly access: Access
  readonly allowInPath: readonly PathAmbiguity[]
  /** Units of a quota that one request takes. */
  readonly cost: number
  /** The route's own, besides the gateway's. */
  readonly policies: readonly Policy[]
  /** @throws Refused, HttpError */
  readonly answer: EdgeHandler
}

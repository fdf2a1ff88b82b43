import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'

/** What may be said of any route. */
export interface RouteOptions {
  /** Host names, exactly or as `*.example.com`; default: all that the gateway serves. */
  readonly hosts?: readonly string[]
  /** What may stand in a path though other software may read it differently; default nothing. */
  readonly allowInPath?: readonly PathAmbiguity[]
  /** Limits, caches and policies of this route, besides those of the gateway. */
  readonly policies?: readonly Policy[]
  /** Units of a quota that one request takes; default 1, 0 counts nothing. */
  readonly cost?: number
}

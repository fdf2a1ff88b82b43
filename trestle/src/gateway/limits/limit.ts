import { createHash } from 'node:crypto'
import type { Clock } from '../../std/clock.ts'
import { addressKey } from './address-key.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { type RateLaw, rateLaw } from './gcra.ts'
import { CellTable } from './process-counters.ts'
import type { RateLimitSpec, WhenStoreDown } from './rate-limit-spec.ts'

/** A limit as a running gateway holds it. */
export interface Limit {
  readonly name: string
  readonly law: RateLaw
  readonly burst: number
  /** What `RateLimit-Policy` says of it. */
  readonly policyItem: string
  /** What `RateLimit` says of it, without the numbers. */
  readonly limitItem: string
  readonly whenStoreDown: WhenStoreDown
  /** Whom a request is counted for; `undefined`: nobody, so it is not counted. */
  readonly keyOf: (request: EdgeRequest, routeName: string) => string | undefined
  readonly costOf: (request: EdgeRequest) => number
  /** The counters of this process. */
  readonly cells: CellTable
}

/** Opens a limit, with counters of its own unless it is given some. */
export function openLimit(
  spec: RateLimitSpec,
  name: string,
  clock: Clock,
  cells: CellTable = new CellTable(clock, spec.keysMax),
): Limit {
  return limitOf(spec, name, cells)
}

/** The same limit with other numbers: what has been counted stays counted. */
export function changedLimit(limit: Limit, spec: RateLimitSpec): Limit {
  return limitOf(spec, limit.name, limit.cells)
}

function limitOf(spec: RateLimitSpec, name: string, cells: CellTable): Limit {
  const { allow, windowMs, burst, cost, whenStoreDown } = spec
  return {
    name,
    law: rateLaw(allow, windowMs, burst),
    burst,
    policyItem: policyItem(name, spec),
    limitItem: `"${name}";r=`,
    whenStoreDown,
    keyOf: keyOf(spec.per),
    costOf: typeof cost === 'number' ? () => cost : (request) => withinBurst(cost(request), burst),
    cells,
  }
}

/** Whole seconds are all that the field can say, so a shorter window is said as a second of such windows. */
function policyItem(name: string, { allow, windowMs, burst }: RateLimitSpec): string {
  const seconds = Math.max(1, Math.ceil(windowMs / 1_000))
  const quota = windowMs % 1_000 === 0 ? allow : Math.floor((allow * seconds * 1_000) / windowMs)
  return `"${name}";q=${quota};w=${seconds}${burst === allow ? '' : `;trestle-burst=${burst}`}`
}

function keyOf(per: RateLimitSpec['per']): Limit['keyOf'] {
  if (typeof per === 'function') {
    return (request) => {
      const key = per(request)
      return key === undefined ? undefined : bounded(key)
    }
  }
  if (per === 'ip') return ({ clientAddress }) => addressKey(clientAddress)
  if (per === 'key') return ({ caller }) => (caller.kind === 'key' ? caller.id : undefined)
  if (per === 'route') return (_, routeName) => routeName
  return ({ caller, clientAddress }) =>
    caller.kind === 'anonymous' ? addressKey(clientAddress) : bounded(`${caller.kind}:${caller.id}`)
}

/** Longer ones are hashed: they would let a client fill the memory. */
const keyMaxLength = 256

function bounded(key: string): string {
  return key.length <= keyMaxLength ? key : createHash('sha256').update(key).digest('base64url')
}

/** Nobody could ever take more than a burst: such a request takes all of it. */
function withinBurst(cost: number, burst: number): number {
  return cost > 0 ? Math.min(Math.ceil(cost), burst) : 0
}

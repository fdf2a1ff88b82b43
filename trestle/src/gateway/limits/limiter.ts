import type { Clock } from '../../std/clock.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { GatewayContext } from '../gateway-context.ts'
import {
  type Advice,
  type EdgeHandler,
  type Policy,
  type RouteFacts,
  type Stage,
  throughAnother,
} from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Counters, Demand, Taken } from './counters.ts'
import { isTooMuch, waitMsFor } from './gcra.ts'
import { type Limit, openLimit } from './limit.ts'
import { CellTable } from './process-counters.ts'
import { type RateLimitHeaders, rateLimitHeaders } from './rate-limit-headers.ts'
import { nameOf, type RateLimitSpec } from './rate-limit-spec.ts'

/** A limit, or what finds the limits that hold for a request: those of its caller's plan. */
export type LimitSource = Limit | ((request: EdgeRequest) => readonly Limit[])

/** The limits of one running gateway. */
export interface Limiter {
  /** The limit of a policy: one, on however many routes it holds. @throws TypeError when its name is taken */
  limitFor(policy: Policy, spec: RateLimitSpec): Limit
  /** Adds a limit to those of a route's stage: the advice of the first holds for those that join it. */
  join(route: RouteFacts, stage: Stage, source: LimitSource): Advice
}

export interface LimiterDeps {
  readonly counters: Counters
  readonly clock: Clock
  readonly metrics: Metrics
  readonly headers: RateLimitHeaders | false
  /** Counters outlive the gateway that counted in them: see `Kept`. */
  readonly keep?: GatewayContext['keep']
}

export function createLimiter({ counters, clock, metrics, headers, keep }: LimiterDeps): Limiter {
  const limits = new Map<Policy, Limit>()
  const names = new Set<string>()
  const groups = new WeakMap<RouteFacts, Map<Stage, LimitSource[]>>()
  const refusals = metrics.counter('trestle_gateway_rate_limited_total', {
    help: 'Requests that a rate limit refused',
    labels: ['limit'],
  })
  const write = rateLimitHeaders(headers)
  const refuse = (limit: Limit, retryAfterMs: number) => {
    refusals.with(limit.name).add()
    return refused('rate_limited', { detail: `The limit ${limit.name} is reached`, retryAfterMs })
  }

  return {
    limitFor(policy, spec) {
      const known = limits.get(policy)
      if (known !== undefined) return known
      const name = freeName(spec, names)
      const limit = openLimit(spec, name, clock, cellsFor(name, spec))
      names.add(limit.name)
      limits.set(policy, limit)
      return limit
    },
    join(route, stage, source) {
      const stagesOfRoute = groups.get(route) ?? new Map<Stage, LimitSource[]>()
      groups.set(route, stagesOfRoute)
      const group = stagesOfRoute.get(stage)
      if (group !== undefined) {
        group.push(source)
        return throughAnother
      }
      const sources = [source]
      stagesOfRoute.set(stage, sources)
      return advice(route.name, sources)
    },
  }

  /** A function cannot be compared with another one: its counters begin anew. */
  function cellsFor(name: string, spec: RateLimitSpec): CellTable {
    const make = () => new CellTable(clock, spec.keysMax)
    if (keep === undefined || typeof spec.per === 'function') return make()
    const { per, allow, windowMs, burst, keysMax } = spec
    return keep(JSON.stringify(['limit', name, per, allow, windowMs, burst, keysMax]), make)
  }

  function advice(routeName: string, sources: readonly LimitSource[]): Advice {
    return (request, next) => {
      const demands: Demand[] = []
      for (const source of sources) {
        if (typeof source !== 'function') addDemand(demands, source, request, routeName)
        else for (const limit of source(request)) addDemand(demands, limit, request, routeName)
      }
      if (demands.length === 0) return next(request)
      const taken = counters.take(demands)
      if (taken instanceof Promise) return taken.then((late) => settle(demands, late, request, next))
      return settle(demands, taken, request, next)
    }
  }

  function settle(
    demands: readonly Demand[],
    taken: Taken,
    request: EdgeRequest,
    next: EdgeHandler,
  ): HttpResponse | Promise<HttpResponse> {
    write(demands, taken, request.replyHeaders)
    if (taken.allowed) return next(request)
    const { limit, waitMs } = longestWait(demands, taken)
    throw refuse(limit, waitMs)
  }
}

function addDemand(demands: Demand[], limit: Limit, request: EdgeRequest, routeName: string): void {
  const key = limit.keyOf(request, routeName)
  if (key !== undefined) demands.push({ limit, key, cost: limit.costOf(request) })
}

/** Of the limits that refuse, the one that refuses longest: before it is over, nothing is let in. */
function longestWait(demands: readonly Demand[], { debtsMs }: Taken): { limit: Limit; waitMs: number } {
  let longest = { limit: (demands[0] as Demand).limit, waitMs: 0 }
  demands.forEach(({ limit, cost }, at) => {
    const debtMs = debtsMs[at]
    if (debtMs === undefined || !isTooMuch(limit.law, debtMs + cost * limit.law.emissionMs)) return
    const waitMs = waitMsFor(limit.law, debtMs, cost)
    if (waitMs > longest.waitMs) longest = { limit, waitMs }
  })
  return longest
}

function freeName(spec: RateLimitSpec, taken: ReadonlySet<string>): string {
  const name = nameOf(spec)
  if (!taken.has(name)) return name
  if (spec.name !== undefined) {
    throw new TypeError(`Two rate limits are called ${name}: they would share their counters. Rename one of them.`)
  }
  for (let number = 2; ; number += 1) {
    const numbered = `${name}-${number}`
    if (!taken.has(numbered)) return numbered
  }
}

import type { z } from 'zod'
import type { Clock } from '../../std/clock.ts'
import type { AccessLink } from '../access/access-link.ts'
import type { Plan } from '../access/plan-schema.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { changedLimit, type Limit, openLimit } from '../limits/limit.ts'
import { CellTable } from '../limits/process-counters.ts'
import { rateLimitSpec } from '../limits/rate-limit-spec.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { PlanSpec } from './plan.ts'
import { includesRoute } from './plan-routes.ts'

/** A plan as a running gateway holds it. */
export interface OpenPlan {
  readonly name: string
  /** Whether it has a route; remembered. */
  includes(routeName: string): boolean
  readonly quotas: PlanSpec['quotas']
  readonly limits: readonly Limit[]
}

/** Rate limits of plans count in each process what it served; the numbers of a plan may change, what was counted stays. */
const keysMax = 100_000

/** The plans that there are: those of the configuration at once, the others when they are heard of. */
export class PlanDirectory {
  readonly #link: AccessLink
  readonly #context: Pick<GatewayContext, 'clock' | 'log' | 'keep'>
  readonly #declared: readonly (Omit<PlanSpec, 'kind'> & { readonly name: string })[]
  readonly #limits = new Map<string, Limit>()
  #plans: ReadonlyMap<string, OpenPlan> = new Map()
  #declaring = false
  #isDeclared = false
  #heard = false

  constructor(link: AccessLink, declared: Readonly<Record<string, PlanSpec>>, context: GatewayContext) {
    this.#link = link
    this.#context = context
    this.#declared = Object.entries(declared).map(([name, { title, routes, quotas, limits }]) => {
      return { name, title, routes, quotas, limits }
    })
    this.#use(this.#declared)
  }

  /** Writes down what the configuration declares, now or when the service is there, and follows what changes. */
  async start(): Promise<void> {
    this.#link.feed.onChange(({ plans }) => {
      if (!this.#isDeclared) void this.#declare()
      else if (plans !== null) this.#learn(plans)
    })
    await this.#declare()
  }

  get(name: string): OpenPlan | undefined {
    return this.#plans.get(name)
  }

  /** Whether an unknown name is one of no plan, or of one that was not heard of yet. */
  get isComplete(): boolean {
    return this.#heard
  }

  /** Whether some plan has this route: then nobody may use it without a plan. */
  anyIncludes(routeName: string): boolean {
    for (const plan of this.#plans.values()) if (plan.includes(routeName)) return true
    return false
  }

  async #declare(): Promise<void> {
    if (this.#declaring) return
    this.#declaring = true
    const plans = this.#declared.map(writtenPlan)
    const declared = await this.#link.ask().declarePlans.try({ plans }, { timeoutMs: 5_000 })
    const listed = declared.ok ? await this.#link.ask().listPlans.try({}, { timeoutMs: 5_000 }) : undefined
    this.#declaring = false
    if (listed?.ok !== true) return
    this.#isDeclared = true
    this.#learn(listed.value)
  }

  #learn(plans: readonly z.output<typeof Plan>[]): void {
    this.#heard = true
    this.#use(plans)
  }

  #use(plans: readonly (Omit<PlanSpec, 'kind'> & { readonly name: string })[]): void {
    this.#plans = new Map(plans.map((plan) => [plan.name, this.#open(plan)]))
  }

  #open({ name, routes, quotas, limits }: Omit<PlanSpec, 'kind'> & { readonly name: string }): OpenPlan {
    const known = new Map<string, boolean>()
    return {
      name,
      quotas,
      limits: limits.map((limit, at) => this.#limit(`plan-${name}${at === 0 ? '' : `-${at + 1}`}`, limit)),
      includes(routeName) {
        const answer = known.get(routeName) ?? routes.some((route) => includesRoute(route, routeName))
        known.set(routeName, answer)
        return answer
      },
    }
  }

  #limit(name: string, { allow, windowMs, burst }: PlanSpec['limits'][number]): Limit {
    const { clock, keep } = this.#context
    const spec = rateLimitSpec({
      name,
      per: ownerOf,
      allow,
      windowMs,
      keysMax,
      ...(burst === undefined ? {} : { burst }),
    })
    const before = this.#limits.get(name)
    const limit =
      before === undefined ? openLimit(spec, name, clock, cellsOf(name, clock, keep)) : changedLimit(before, spec)
    this.#limits.set(name, limit)
    return limit
  }
}

function cellsOf(name: string, clock: Clock, keep: GatewayContext['keep']): CellTable {
  return keep(JSON.stringify(['plan-limit', name]), () => new CellTable(clock, keysMax))
}

function writtenPlan({ name, title, routes, quotas, limits }: Omit<PlanSpec, 'kind'> & { readonly name: string }) {
  return { name, title, routes: [...routes], quotas: [...quotas], limits: [...limits] }
}

/** Who shares the limits of a plan: all keys of an owner. */
export function ownerOf({ caller }: Pick<EdgeRequest, 'caller'>): string {
  return `${caller.kind}:${caller.tenant ?? caller.id}`
}

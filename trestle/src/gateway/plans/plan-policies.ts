import { access } from '../access/contract.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { GatewaySpec } from '../gateway.ts'
import type { Policy } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { PlanDirectory } from './plan-directory.ts'
import { type OpenDirectory, quotaGate } from './quota-gate.ts'
import { watched } from './watched.ts'
import { type Counts, whatCounts } from './what-counts.ts'

/** The policies of keys and plans, each at its place among the others. */
export interface AccessPolicies {
  /** Right after authentication, around everything else. */
  readonly behindAuthentication: readonly Policy[]
  /** Behind authorisation and all rate limits. */
  readonly last: readonly Policy[]
}

/** What a gateway that uses keys or plans counts and checks. One that uses neither has nothing of it in its way. */
export function accessPolicies(
  spec: Pick<GatewaySpec, 'authenticate' | 'plans' | 'quota' | 'rateLimitHeaders'>,
): AccessPolicies {
  const usesKeys = spec.authenticate.some(({ uses }) => Object.values(uses).some(({ id }) => id === access.id))
  const { plans } = spec
  if (!usesKeys && plans === undefined) return { behindAuthentication: [], last: [] }
  // One for all routes of a gateway; opened for the first.
  let opening: Promise<PlanDirectory | undefined> | undefined
  const directory = (context: GatewayContext) => (opening ??= openDirectory(plans, context))
  return {
    behindAuthentication: [metering(whatCounts(spec.quota))],
    last:
      plans === undefined
        ? [quotaGate(spec, directory)]
        : [planGate(directory), planLimits(directory), quotaGate(spec, directory)],
  }
}

async function openDirectory(plans: GatewaySpec['plans'], context: GatewayContext): Promise<PlanDirectory | undefined> {
  if (plans === undefined) return undefined
  const directory = new PlanDirectory(await context.access(), plans, context)
  await directory.start()
  return directory
}

/** Whom usage is written down for; `undefined`: nobody. */
function meteredId({ caller }: EdgeRequest): string | undefined {
  if (caller.kind === 'key') return caller.id
  return caller.plan === undefined ? undefined : `${caller.kind}:${caller.id}`.slice(0, 512)
}

/**
 * Counts every request of a key, whatever becomes of it, by route, status class and minute. What was refused before it
 * was served has no units.
 */
function metering(counts: Counts): Policy {
  return {
    kind: 'policy',
    name: 'usage',
    stage: 'authentication',
    async open({ name, target }, context) {
      if (target === 'page') return undefined
      const usage = (await context.access()).usage.route(name)
      return (request, next) => {
        const id = meteredId(request)
        if (id === undefined) return next(request)
        return watched(request, next, (status, cached) => {
          usage.count(id, status, counts(status, cached) ? (request.notes.units ?? 0) : 0)
        })
      }
    },
  }
}

/**
 * Refuses what a caller's plan does not include. Who has no plan may use what no plan has, unless they come with a key:
 * a key needs a plan for everything. What is open to anyone, plans have nothing to do with.
 */
function planGate(directory: OpenDirectory): Policy {
  return {
    kind: 'policy',
    name: 'plans',
    stage: 'authorisation',
    async open({ name, access: { kind }, target }, context) {
      const plans = kind === 'anyone' || target === 'page' ? undefined : await directory(context)
      if (plans === undefined) return undefined
      return (request, next) => {
        const { caller } = request
        if (caller.plan === undefined) {
          if (caller.kind === 'operator' || (caller.kind !== 'key' && !plans.anyIncludes(name))) return next(request)
          throw refused('plan_required', { detail: 'This needs a plan that includes it' })
        }
        const plan = plans.get(caller.plan)
        if (plan === undefined && !plans.isComplete) {
          throw refused('unavailable', { detail: 'The plan cannot be looked up at the moment' })
        }
        if (plan?.includes(name) !== true) {
          throw refused('plan_required', { detail: `The plan ${caller.plan} does not include this` })
        }
        return next(request)
      }
    },
  }
}

/** The rate limits of the caller's plan, taken together with the gateway's own. */
function planLimits(directory: OpenDirectory): Policy {
  return {
    kind: 'policy',
    name: 'plan-limits',
    stage: 'rate-limit',
    async open(route, context) {
      const plans = route.access.kind === 'anyone' || route.target === 'page' ? undefined : await directory(context)
      if (plans === undefined) return undefined
      const limiter = await context.limiter()
      return limiter.join(route, 'rate-limit', ({ caller }) =>
        caller.plan === undefined ? none : (plans.get(caller.plan)?.limits ?? none),
      )
    },
  }
}

const none: readonly never[] = []

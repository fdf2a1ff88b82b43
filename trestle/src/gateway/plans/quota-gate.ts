import { platformProblem } from '../../call/problem.ts'
import type { HttpResponse } from '../../http/message.ts'
import { Seldom } from '../../std/seldom.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { GatewaySpec } from '../gateway.ts'
import type { EdgeHandler, Policy } from '../policy/policy.ts'
import { Refused, refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { OpenPlan, PlanDirectory } from './plan-directory.ts'
import { ownerOf } from './plan-directory.ts'
import { type QuotaDemand, QuotaLeases, type TakenUnits, type TakeOutcome } from './quota-leases.ts'
import { quotaHeaders } from './quota-headers.ts'
import type { QuotaSpec } from './quota-options.ts'
import { watched } from './watched.ts'
import { whatCounts } from './what-counts.ts'

/** The plans of a gateway; `undefined`: it has none. */
export type OpenDirectory = (context: GatewayContext) => Promise<PlanDirectory | undefined>

/**
 * Takes the units of a request from the quotas of its caller's plan before it is served, all or none; gives them back
 * when the reply does not count. Notes them for the usage.
 */
export function quotaGate(
  { quota, rateLimitHeaders }: Pick<GatewaySpec, 'quota' | 'rateLimitHeaders'>,
  directory: OpenDirectory,
): Policy {
  // One for all routes.
  let opening: Promise<QuotaLeases> | undefined
  const write = quotaHeaders(rateLimitHeaders)
  const counts = whatCounts(quota)
  return {
    kind: 'policy',
    name: 'quota',
    stage: 'rate-limit',
    async open({ access: { kind }, target, cost }, context) {
      if (target === 'page' || kind === 'anyone') return undefined
      const plans = await directory(context)
      if (cost === 0) return undefined
      if (plans === undefined) return (request, next) => uncounted(request, next, cost)
      const leases = await (opening ??= openLeases(quota, context))
      return (request, next) => {
        const { caller } = request
        const plan = caller.plan === undefined ? undefined : plans.get(caller.plan)
        if (plan === undefined || plan.quotas.length === 0) return uncounted(request, next, cost)
        const finish = (outcomes: readonly TakeOutcome[]) => {
          write(outcomes, plan.quotas, context.clock.now(), request.replyHeaders)
          const taken = allTaken(leases, outcomes, quota, context.clock.now())
          request.notes.units = cost
          return watched(request, next, (status, cached) => {
            if (!counts(status, cached)) giveBack(leases, taken)
          })
        }
        const outcomes = takeAll(leases, plan, request, cost)
        return outcomes instanceof Promise ? outcomes.then(finish) : finish(outcomes)
      }
    },
  }
}

async function openLeases(spec: QuotaSpec, context: GatewayContext): Promise<QuotaLeases> {
  const link = await context.access()
  const seldom = new Seldom(context.clock)
  const leases = new QuotaLeases({
    ask: link.ask,
    clock: context.clock,
    spec,
    onDown(error) {
      const unsaid = seldom.again('quota')
      const fields = { err: error, unsaid, whenStoreDown: spec.whenStoreDown }
      if (unsaid !== undefined) context.log.warn(fields, 'no units of quotas can be leased')
    },
  })
  context.defer(() => leases.close())
  return leases
}

/** One outcome for each quota of the plan; most plans have one, and most requests find it leased. */
function takeAll(
  leases: QuotaLeases,
  { quotas }: OpenPlan,
  request: EdgeRequest,
  units: number,
): readonly TakeOutcome[] | Promise<readonly TakeOutcome[]> {
  const outcomes = quotas.map(({ per, allow, of }) => {
    const { caller } = request
    const subject = of === 'owner' ? `owner:${ownerOf(request)}` : `${caller.kind}:${caller.id}`
    const demand: QuotaDemand = { subject: subject.slice(0, 512), per, allow, units }
    return leases.take(demand)
  })
  const now = outcomes.filter((outcome): outcome is TakeOutcome => !(outcome instanceof Promise))
  return now.length === outcomes.length ? now : Promise.all(outcomes.map(async (outcome) => outcome))
}

/** @throws Refused when one of them was not taken; then none is */
function allTaken(
  leases: QuotaLeases,
  outcomes: readonly TakeOutcome[],
  { status }: QuotaSpec,
  nowMs: number,
): readonly TakenUnits[] {
  const taken = outcomes.filter((outcome) => 'units' in outcome)
  const missed = outcomes.filter((outcome) => 'refused' in outcome)
  if (missed.length === 0) return taken
  giveBack(leases, taken)
  const exceeded = missed.filter(({ refused: why }) => why === 'exceeded')
  if (exceeded.length === 0) throw refused('unavailable', { detail: 'The quota cannot be checked at the moment' })
  // The one that stays spent for longest: before it is over, nothing is served.
  const endsAtMs = Math.max(...exceeded.map(({ lease }) => lease.period.endsAtMs))
  const detail = `It is renewed at ${new Date(endsAtMs).toISOString()}`
  const problem = platformProblem('quota_exceeded', { detail, retryAfterMs: endsAtMs - nowMs })
  throw new Refused({ ...problem, status })
}

function giveBack(leases: QuotaLeases, taken: readonly TakenUnits[]): void {
  for (const one of taken) leases.giveBack(one)
}

/** Serves what no quota holds; the usage says what it would have taken. */
function uncounted(request: EdgeRequest, next: EdgeHandler, cost: number): HttpResponse | Promise<HttpResponse> {
  request.notes.units = cost
  return next(request)
}

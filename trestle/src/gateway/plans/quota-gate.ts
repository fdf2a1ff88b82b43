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
import { statusOfFailure } from './status-of-failure.ts'

type OpenDirectory = (context: GatewayContext) => Promise<PlanDirectory | undefined>

/**
 * Takes the units of a request from the quotas of its caller's plan before it is served, all or none; gives them back
 * when the reply does not count. Notes what counted, for the usage.
 */
export function quotaGate(
  { quota, rateLimitHeaders }: Pick<GatewaySpec, 'quota' | 'rateLimitHeaders'>,
  directory: OpenDirectory,
): Policy {
  let opening: QuotaLeases | undefined
  const write = quotaHeaders(rateLimitHeaders)
  const counts = counting(quota)
  return {
    kind: 'policy',
    name: 'quota',
    stage: 'rate-limit',
    async open({ access: { kind }, target, cost }, context) {
      if (target === 'page' || kind === 'anyone') return undefined
      const plans = await directory(context)
      if (plans === undefined) return cost === 0 ? undefined : (request, next) => settle(request, next, cost, counts)
      if (opening === undefined) opening = await openLeases(quota, context)
      const leases = opening
      return (request, next) => {
        const { caller } = request
        const plan = caller.plan === undefined ? undefined : plans.get(caller.plan)
        if (plan === undefined || plan.quotas.length === 0 || cost === 0) return settle(request, next, cost, counts)
        const finish = (outcomes: readonly TakeOutcome[]) => {
          const demands = plan.quotas
          write(outcomes, demands, context.clock.now(), request.replyHeaders)
          const taken = allTaken(leases, outcomes, quota, context.clock.now())
          return settle(request, next, cost, counts, () => giveBack(leases, taken))
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

type Counts = (status: number, cached: boolean) => boolean

function counting({ counts, countsCached }: QuotaSpec): Counts {
  const counted = [2, 3, 4, 5].map((hundreds) => counts.some((name) => name === `${hundreds}xx`))
  return (status, cached) => (countsCached || !cached) && counted[Math.floor(status / 100) - 2] === true
}

/** Serves, and notes what counted; `free` is called when nothing did. */
function settle(
  request: EdgeRequest,
  next: EdgeHandler,
  cost: number,
  counts: Counts,
  free?: () => void,
): HttpResponse | Promise<HttpResponse> {
  const { notes } = request
  const ended = (status: number) => {
    if (counts(status, notes.cached === true)) notes.units = cost
    else free?.()
  }
  const answered = (reply: HttpResponse) => {
    ended(reply.status)
    return reply
  }
  const failed = (error: unknown): never => {
    ended(statusOfFailure(error))
    throw error
  }
  try {
    const reply = next(request)
    return reply instanceof Promise ? reply.then(answered, failed) : answered(reply)
  } catch (error) {
    return failed(error)
  }
}

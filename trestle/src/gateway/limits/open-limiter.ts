import { Seldom } from '../../std/seldom.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { GatewaySpec } from '../gateway.ts'
import { accessCounters } from './access-counters.ts'
import type { Counters, SharedCounters } from './counters.ts'
import { guardedCounters } from './guarded-counters.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { processCounters } from './process-counters.ts'
import { redisCounters } from './redis-counters.ts'

type LimitsSpec = Pick<GatewaySpec, 'counters' | 'rateLimitHeaders'>

/** A database has more to do than a Redis. */
const sharedTimeoutMs = 100

/** Opens the limits of a gateway and where they are counted. */
export async function openLimiter(
  { counters, rateLimitHeaders }: LimitsSpec,
  context: GatewayContext,
): Promise<Limiter> {
  const { clock, metrics, keep } = context
  const headers = rateLimitHeaders
  return createLimiter({ counters: await openCounters(counters, context), clock, metrics, headers, keep })
}

async function openCounters(spec: LimitsSpec['counters'], context: GatewayContext): Promise<Counters> {
  if (spec === 'process') return processCounters
  const timeoutMs = spec === 'shared' ? sharedTimeoutMs : spec.timeoutMs
  const store = spec === 'shared' ? accessCounters({ ...context, timeoutMs }) : await openRedis(spec, context)
  const { clock, log, metrics } = context
  const up = metrics
    .gauge('trestle_gateway_counters_up', { help: 'Whether the shared counters answer: 1 or 0.' })
    .with()
  up.set(1)
  const guarded = guardedCounters(store, {
    clock,
    timeoutMs,
    onChange(state, cause) {
      up.set(state === 'open' ? 0 : 1)
      if (state === 'closed') log.info({}, 'the shared rate counters answer again')
      else log.warn({ err: cause }, 'the shared rate counters do not answer; each limit does as it says until they do')
    },
  })
  context.defer(() => guarded.close())
  return guarded
}

function openRedis(
  spec: Exclude<LimitsSpec['counters'], string>,
  { clock, log }: GatewayContext,
): Promise<SharedCounters> {
  const seldom = new Seldom(clock)
  const onError = (error: Error) => {
    const unsaid = seldom.again('redis')
    if (unsaid !== undefined) log.warn({ err: error, unsaid }, 'Redis cannot be reached')
  }
  return redisCounters(spec, { clock, onError })
}

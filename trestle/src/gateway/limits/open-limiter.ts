import type { GatewayContext } from '../gateway-context.ts'
import type { GatewaySpec } from '../gateway.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { processCounters } from './process-counters.ts'

/** Opens the limits of a gateway and where they are counted. */
export async function openLimiter(
  { rateLimitHeaders }: Pick<GatewaySpec, 'counters' | 'rateLimitHeaders'>,
  { clock, metrics, keep }: GatewayContext,
): Promise<Limiter> {
  return createLimiter({ counters: processCounters, clock, metrics, headers: rateLimitHeaders, keep })
}

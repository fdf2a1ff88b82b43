import type { HttpClient } from '../../http/message.ts'
import type { Cluster } from '../../registry/cluster.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import type { Target } from './target.ts'
import type { UpstreamHealth } from './upstream.ts'

export interface HealthDeps {
  readonly http: HttpClient
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
}

/**
 * Asks every target from time to time, the first time at once; gives what stops it. One check of a target runs at a
 * time. They are spread by a tenth of the interval, so that gateways that started together do not ask together for ever.
 */
export function startHealthChecks(
  { path, intervalMs, timeoutMs }: Required<UpstreamHealth>,
  targets: readonly Target[],
  cluster: Pick<Cluster<Target>, 'checked'>,
  { http, clock, random }: HealthDeps,
): () => void {
  const stopped = new AbortController()
  const timers = new Map<Target, Timer>()

  const check = async (target: Target) => {
    const reason = await faultOf(target)
    if (stopped.signal.aborted) return
    cluster.checked(target.url, reason === undefined, reason)
    timers.set(
      target,
      clock.setTimeout(() => void check(target), intervalMs * (0.95 + random() * 0.1)),
    )
  }
  const faultOf = async ({ origin, basePath }: Target): Promise<string | undefined> => {
    const { signal } = stopped
    try {
      const reply = await http.request({
        method: 'GET',
        origin,
        target: basePath + path,
        headers: [['user-agent', 'trestle-health']],
        signal,
        timeoutMs,
      })
      if (reply.arrived?.() === undefined) await reply.discard()
      return reply.status < 400 ? undefined : `${path} answered ${reply.status}`
    } catch (error) {
      return `${path}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  for (const target of targets) void check(target)
  return () => {
    stopped.abort()
    for (const timer of timers.values()) timer.cancel()
  }
}

/** What steady traffic saw. */
export interface TrafficReport {
  readonly asked: number
  /** Status or error of each request that was not answered 2xx, and how often. */
  readonly failures: ReadonlyMap<string, number>
  readonly slowestMs: number
}

const answerTimeoutMs = 15_000

/**
 * Asks at a fixed rate, whether or not earlier answers have come (open loop), until stopped.
 * @param perSecond requests per second
 */
export function steadyTraffic(
  ask: (signal: AbortSignal) => Promise<number>,
  perSecond: number,
): () => Promise<TrafficReport> {
  const failures = new Map<string, number>()
  const running = new Set<Promise<void>>()
  let asked = 0
  let slowestMs = 0
  const one = async () => {
    const began = performance.now()
    const outcome = await ask(AbortSignal.timeout(answerTimeoutMs)).then(String, (error: unknown) => String(error))
    slowestMs = Math.max(slowestMs, performance.now() - began)
    if (!/^2\d\d$/.test(outcome)) failures.set(outcome, (failures.get(outcome) ?? 0) + 1)
  }
  const timer = setInterval(() => {
    asked += 1
    const request = one().finally(() => running.delete(request))
    running.add(request)
  }, 1000 / perSecond)
  return async () => {
    clearInterval(timer)
    await Promise.all(running)
    return { asked, failures, slowestMs }
  }
}

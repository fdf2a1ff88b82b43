import { Agent, request } from 'node:http'

export interface Latencies {
  /** Milliseconds from the moment at which each request was due. */
  readonly latenciesMs: readonly number[]
  /** Replies that were not the expected one. */
  readonly errors: number
}

/**
 * Sends requests at a fixed rate, however long the replies take; what waits to be sent counts as latency.
 * @param agent keeps its connections from one run to the next
 */
export async function openLoop(url: string, agent: Agent, perSecond: number, seconds: number): Promise<Latencies> {
  const total = Math.max(1, Math.round(perSecond * seconds))
  const latenciesMs: number[] = []
  let errors = 0
  const startMs = performance.now()
  const ask = (dueMs: number) =>
    new Promise<void>((resolve) => {
      const end = (isRight: boolean) => {
        if (isRight) latenciesMs.push(performance.now() - dueMs)
        else errors += 1
        resolve()
      }
      request(url, { agent }, (reply) => {
        let body = ''
        reply.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        reply.on('error', () => end(false)).on('end', () => end(reply.statusCode === 200 && body === 'ok'))
      })
        .on('error', () => end(false))
        .end()
    })
  const running: Promise<void>[] = []
  while (running.length < total) {
    const dueCount = Math.min(total, 1 + Math.floor(((performance.now() - startMs) * perSecond) / 1_000))
    while (running.length < dueCount) running.push(ask(startMs + (running.length * 1_000) / perSecond))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(running)
  return { latenciesMs, errors }
}

export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

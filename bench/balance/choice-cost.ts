import { createCluster } from '../../trestle/src/registry/create-cluster.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'

const atOnce = 16

/** CPU nanoseconds for choosing one of three members and learning how it ended, with sixteen requests in flight. */
export function choiceCostNs(seconds: number): number {
  const cluster = createCluster<number>({ clock: systemClock, random: Math.random })
  cluster.replace([1, 2, 3].map((n) => ({ id: `m${n}`, target: n })))
  const running = Array.from({ length: atOnce }, () => begun(cluster.begin()))
  const untilMs = performance.now() + seconds * 1_000
  const start = process.cpuUsage()
  let requests = 0
  do {
    for (let batch = 0; batch < 1_000; batch += 1, requests += 1) {
      running[requests % atOnce]?.end('ok')
      running[requests % atOnce] = begun(cluster.begin())
    }
  } while (performance.now() < untilMs)
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1_000) / requests
}

function begun<T extends object>(attempt: T): Exclude<T, { readonly refused: string }> {
  if ('refused' in attempt) throw new Error('refused')
  return attempt as Exclude<T, { readonly refused: string }>
}

import type { ProcessStats } from './messages.ts'
import type { Replica } from './replica.ts'

interface Sample {
  readonly life: number
  readonly atMs: number
  readonly stats: ProcessStats
}

/** Two looks closer together than this say nothing about CPU, milliseconds. */
const apartMinMs = 250

/** Memory and CPU of the processes, from what their signs of life say. */
export interface Usage {
  seen(replica: Replica, stats: ProcessStats, atMs: number): void
  memoryBytes(replica: Replica): number | undefined
  /** Of one core, between the last two looks. */
  cpuPercent(replica: Replica): number | undefined
}

export function createUsage(): Usage {
  const samples = new WeakMap<Replica, { readonly before: Sample | undefined; readonly last: Sample }>()
  const last = (replica: Replica) => {
    const found = samples.get(replica)
    return found?.last.life === replica.life ? found : undefined
  }
  return {
    seen(replica, stats, atMs) {
      const sample = { life: replica.life, atMs, stats }
      const known = last(replica)
      const apart = known !== undefined && atMs - known.last.atMs >= apartMinMs
      samples.set(replica, { before: apart ? known.last : known?.before, last: sample })
    },
    memoryBytes: (replica) => last(replica)?.last.stats.memoryBytes,
    cpuPercent(replica) {
      const found = last(replica)
      if (found?.before === undefined || found.before.life !== replica.life) return undefined
      const spentMs = (found.last.stats.cpuMicros - found.before.stats.cpuMicros) / 1_000
      return (100 * spentMs) / Math.max(1, found.last.atMs - found.before.atMs)
    },
  }
}

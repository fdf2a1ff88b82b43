import type { RunningStore } from '../../systems/store/tour/running-store.ts'
import { median } from '../report.ts'
import type { Ask } from './load.ts'
import { type TreeUsage, usageOfTree } from './process-tree.ts'
import type { StartFigures, Topology } from './store.ts'

/** A running store and what was measured of it. */
export interface Contestant {
  readonly topology: Topology
  readonly store: RunningStore
  readonly asks: readonly Ask[]
  readonly first: StartFigures
  /** All starts but the first. */
  readonly later: readonly StartFigures[]
  readonly idle: TreeUsage
  /** By name of the request: CPU microseconds per request, one per round. */
  readonly cost: ReadonlyMap<string, { readonly node: number[]; readonly postgres: number[] }>
}

export type Result = ReturnType<typeof resultOf>

export function resultOf({ topology, store, first, later, idle, cost }: Contestant) {
  const medianOf = (figure: keyof StartFigures) => median(later.map((each) => each[figure]))
  return {
    topology,
    first,
    later: { wallMs: medianOf('wallMs'), cpuMs: medianOf('cpuMs'), postgresCpuMs: medianOf('postgresCpuMs') },
    idle,
    loaded: usageOfTree(store.pid),
    cost: [...cost].map(([name, { node, postgres }]) => {
      return { name, node: median(node), postgres: median(postgres), rounds: node }
    }),
  }
}

/** A line per figure, a column per topology. */
export function tableOf(results: readonly Result[]): string[][] {
  const row = (name: string, figure: (result: Result) => string) => [name, ...results.map(figure)]
  return [
    row('the store', ({ topology }) => topology),
    row('first start: time (CPU + PostgreSQL)', ({ first }) => start(first)),
    row('later start: time (CPU + PostgreSQL)', ({ later }) => start(later)),
    row('idle: RSS / PSS + PostgreSQL PSS', ({ idle }) => memory(idle)),
    row('idle: largest process, RSS', ({ idle }) => mebi(Math.max(...idle.nodeRssBytes))),
    row('loaded: RSS / PSS + PostgreSQL PSS', ({ loaded }) => memory(loaded)),
    ...(results[0]?.cost ?? []).map(({ name }, at) =>
      row(
        `${name}: CPU us + PostgreSQL`,
        ({ cost }) => `${cost[at]?.node.toFixed(0)} + ${cost[at]?.postgres.toFixed(0)}`,
      ),
    ),
  ]
}

function start({ wallMs, cpuMs, postgresCpuMs }: StartFigures): string {
  return `${(wallMs / 1_000).toFixed(2)} s (${(cpuMs / 1_000).toFixed(2)} + ${(postgresCpuMs / 1_000).toFixed(2)})`
}

function memory({ node, postgres }: TreeUsage): string {
  return `${mebi(node.rssBytes)} / ${mebi(node.pssBytes)} + ${mebi(postgres.pssBytes)}`
}

function mebi(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`
}

import type { SeededDraws } from 'trestle/testing'
import type { Fault } from './fault.ts'
import { dependencyFaults, switchFaults } from './inject/between.ts'
import { clockFaults } from './inject/clock.ts'
import { deployFaults } from './inject/new-code.ts'
import { paymentSystemFaults } from './inject/payment-system.ts'
import { databaseFaults, halts, kills, restarts } from './inject/processes.ts'
import type { TopologyName } from './stage.ts'

/** Faults that are put in one after the other. */
export const timedFaults: readonly Fault[] = [
  ...kills,
  ...halts,
  ...restarts,
  ...databaseFaults,
  ...clockFaults,
  ...dependencyFaults,
  ...switchFaults,
  ...paymentSystemFaults,
  ...deployFaults,
]

/** How many seeds in a row bring every fault. */
export const seedsPerRound = 2

/**
 * The faults of a run, in the order of its seed. Any two seeds in a row have them all.
 */
export function planFor(topology: TopologyName, seed: number, draws: SeededDraws): readonly Fault[] {
  const possible = timedFaults.filter(({ only }) => only === undefined || only === topology)
  return shuffled(
    possible.filter((_, index) => index % seedsPerRound === seed % seedsPerRound),
    draws,
  )
}

/** Crash points of a run, each with the hit at which it ends the process. Rounds of seeds bring them all. */
export function crashesFor(points: readonly string[], seed: number, draws: SeededDraws) {
  const mine = points.toSorted().filter((_, index) => index % seedsPerRound === seed % seedsPerRound)
  return shuffled(mine, draws).map((point, index) => ({
    id: `${index}`,
    point,
    hit: 1 + draws.below(4),
    act: 'kill' as const,
  }))
}

function shuffled<T>(list: readonly T[], draws: SeededDraws): readonly T[] {
  const left = [...list]
  return Array.from(list, () => left.splice(draws.below(left.length), 1)[0] as T)
}

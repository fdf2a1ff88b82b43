import type { Arm, SeededDraws } from 'trestle/testing'
import type { Fault } from './fault.ts'
import { dependencyFaults, switchFaults } from './inject/between.ts'
import { clockFaults } from './inject/clock.ts'
import { diskFull } from './inject/disk-full.ts'
import { failingUndo } from './inject/failing-undo.ts'
import { deployFaults } from './inject/new-code.ts'
import { provocations } from './inject/provoke.ts'
import { paymentSystemFaults } from './inject/payment-system.ts'
import { databaseFaults, halts, kills, restarts } from './inject/processes.ts'
import type { TopologyName } from './stage.ts'

/** Faults that are put in one after the other. */
const timedFaults: readonly Fault[] = [
  ...kills,
  ...halts,
  ...restarts,
  ...databaseFaults,
  ...clockFaults,
  diskFull,
  failingUndo,
  ...dependencyFaults,
  ...switchFaults,
  ...paymentSystemFaults,
  ...deployFaults,
]

/** Two seeds in a row bring every fault that is put in. */
const seedsPerRound = 2
/** Two seeds in a row, in both topologies, bring every crash point. */
const crashShares = 4

/** Points that the payment system passes too: it publishes, has subscriptions, and jobs. */
const paymentSystemPoints = [
  'inbox.after-accept-commit',
  'inbox.after-handled-commit',
  'inbox.before-accept-commit',
  'inbox.before-done',
  'job.after-commit',
  'job.before-commit',
  'outbox.after-commit',
  'outbox.before-commit',
]

/** A crash point of a run, and the hit at which it ends the process. */
export interface PlannedCrash extends Arm {
  readonly act: 'kill'
  readonly system: 'store' | 'payments'
}

/** What a run does, in the order of its seed: faults that are put in, and crash points between them. */
export function planFor(
  topology: TopologyName,
  seed: number,
  points: readonly string[],
  draws: SeededDraws,
): readonly (Fault | PlannedCrash)[] {
  const possible = timedFaults.filter(({ only }) => only === undefined || only === topology)
  const faults = possible.filter((_, index) => index % seedsPerRound === seed % seedsPerRound)
  const share = (2 * seed + (topology === 'split' ? 1 : 0)) % crashShares
  const crashesOf = (system: PlannedCrash['system'], of: readonly string[]) =>
    of
      .toSorted()
      .filter((_, index) => index % crashShares === share)
      .map((point): PlannedCrash => {
        const hit = system === 'store' && point in provocations ? 1 : 1 + draws.below(3)
        return { id: `${system} ${point}`, point, hit, act: 'kill', system }
      })
  const crashes = [...crashesOf('store', points), ...crashesOf('payments', paymentSystemPoints)]
  return shuffled([...faults, ...crashes], draws)
}

function shuffled<T>(list: readonly T[], draws: SeededDraws): readonly T[] {
  const left = [...list]
  return Array.from(list, () => left.splice(draws.below(left.length), 1)[0] as T)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { gatedFaults } from './changes.ts'
import type { Defect } from './defects.ts'
import { haltOwner } from './inject/halt-owner.ts'
import { runLoaded } from './run-loaded.ts'
import type { Template } from './stage.ts'

/** What became of a defect. */
export interface DefectReport {
  readonly name: string
  /** The checker has seen that something is wrong. */
  readonly caught: boolean
  /** What it has seen, or why the run says nothing. */
  readonly by: readonly string[]
  readonly tookMs: number
}

const loadMs = 9_000
const settleWithinMs = 8_000
const paidWithinMs = 6_000
const haltsOfOwners = 2

/** Runs the load with a defect in the code, and looks whether the checker finds it. */
export async function runDefect(
  template: Template,
  defect: Defect,
  say: (text: string) => void,
  seed = 1,
): Promise<DefectReport> {
  const began = performance.now()
  const { invariants, reached } = await runLoaded(
    template,
    {
      topology: defect.topology,
      seed,
      arrivalsPerSecond: 15,
      settleWithinMs,
      paidWithinMs,
      changes: [...gatedFaults.map(({ change }) => change), ...defect.changes],
      say,
    },
    async (stage) => {
      for (const { name, gate } of gatedFaults) {
        const probability = defect.gates[name]
        if (probability !== undefined) stage.control.gate(name, { ...gate, probability })
      }
      await sleep(loadMs)
      if (defect.scenario === 'halt the owner of sagas') await haltOwner(stage, haltsOfOwners)
      for (const name of Object.keys(defect.gates)) stage.control.gate(name, undefined)
      const changed = new Set(stage.control.changed())
      const passed = stage.control.gatesPassed()
      return [
        ...defect.changes.filter(({ name }) => !changed.has(name)).map(({ name }) => `${name} was never loaded`),
        ...Object.keys(defect.gates).flatMap((name) => (passed[name] === undefined ? [`${name} never happened`] : [])),
      ]
    },
  )
  const seen = invariants.results.filter(({ violationsTotal }) => violationsTotal > 0)
  return {
    name: defect.name,
    caught: reached.length === 0 && seen.length > 0,
    by: reached.length > 0 ? reached : seen.map(({ name, violations }) => `${name} (${violations[0]?.what})`),
    tookMs: Math.round(performance.now() - began),
  }
}

import type { SeededDraws } from 'trestle/testing'
import type { Stage, TopologyName } from './stage.ts'

/** A fault that a run puts in and takes out again. */
export interface Fault {
  readonly name: string
  /** Numbers of the list of faults that must leave no lost and no doubled effect; empty for others that are asked for. */
  readonly of: readonly number[]
  /** Where it can be; default both. */
  readonly only?: TopologyName
  /** Puts it in, waits, and takes it out; resolves with how often it fired. */
  readonly inject: (stage: Stage, draws: SeededDraws) => Promise<number>
}

/** Waits until something is so. @throws Error when it is not in time */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} has not come within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

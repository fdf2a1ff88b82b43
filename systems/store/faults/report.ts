import type { FaultCount, RunReport } from './run-seed.ts'

/** A fault that has been planned so often must have fired. One that was planned once may not have come to its place. */
const chancesMax = 3
/** Of all that was planned, so much may not have fired in a few runs. */
const silentShareMax = 0.05

/** One line for each fault over all runs, and one in the end. */
export function reportOf(runs: readonly RunReport[]): { readonly lines: readonly string[]; readonly good: boolean } {
  const faults = Map.groupBy(
    runs.flatMap(({ topology, reached: counts }) => counts.map((count) => ({ ...count, topology }))),
    ({ topology, name }) => `${topology} ${name}`,
  )
  const lines: string[] = []
  const silent: (readonly FaultCount[])[] = []
  for (const [key, counts] of faults) {
    const fired = counts.reduce((sum, count) => sum + count.fired, 0)
    if (fired === 0) silent.push(counts)
    lines.push(
      `${(fired === 0 ? 'NOT FIRED' : `fired ${fired}`).padEnd(10)} ${key}${numbers(counts[0])}${reason(counts)}`,
    )
  }
  const violated = runs.filter(({ invariants }) => !invariants.holds)
  const broken = runs.filter(({ load }) => load.broken > 0 || load.arrivals === 0)
  for (const { topology, seed, load } of broken)
    lines.push(`LOAD       ${topology} seed ${seed}: ${load.reasons.join('; ')}`)
  const isSilent = silent.length > silentShareMax * faults.size || silent.some((counts) => counts.length >= chancesMax)
  const good = runs.length > 0 && violated.length === 0 && !isSilent && broken.length === 0
  lines.push(
    `${runs.length} runs, ${faults.size} faults planned, ${silent.length} never fired, ${violated.length} runs with violations: ${good ? 'all holds' : 'FAILED'}`,
  )
  return { lines, good }
}

/** A line for each invariant that does not hold in a run, with the first things that speak against it. */
export function violationsOf({ topology, seed, invariants }: RunReport): readonly string[] {
  return invariants.results.flatMap(({ name, fault, violations }) =>
    fault === undefined
      ? []
      : [
          `VIOLATED   ${topology} seed ${seed}: ${name}: ${fault}`,
          ...violations.slice(0, 3).map(({ what, evidence }) => `           ${what} ${JSON.stringify(evidence)}`),
        ],
  )
}

function numbers(count: FaultCount | undefined): string {
  return count === undefined || count.of.length === 0 ? '' : ` (${count.of.join(', ')})`
}

function reason(counts: readonly FaultCount[]): string {
  const first = counts.find((count) => count.reason !== undefined)?.reason
  return first === undefined ? '' : `: ${first}`
}

// `npm run faults`: the store and its payment system under load and faults, and whether all that must be true stays true.
import { rm } from 'node:fs/promises'
import { inspect, parseArgs } from 'node:util'
import { defects } from './defects.ts'
import { reportOf, violationsOf } from './report.ts'
import { runDefect } from './run-defect.ts'
import { type RunReport, runSeed } from './run-seed.ts'
import { makeTemplate, type TopologyName } from './stage.ts'

const { values } = parseArgs({
  options: {
    topology: { type: 'string', multiple: true, default: ['merged', 'split'] },
    seeds: { type: 'string' },
    'first-seed': { type: 'string', default: '1' },
    rate: { type: 'string', default: '12' },
    'duration-ms': { type: 'string', default: '15000' },
    'settle-ms': { type: 'string', default: '60000' },
    buyers: { type: 'string', default: '40' },
    scarce: { type: 'string', default: '25' },
    defect: { type: 'string', multiple: true },
    keep: { type: 'boolean', default: false },
  },
})

const chosen = (values.defect ?? []).flatMap((name) => {
  const found = name === 'all' ? defects : defects.filter((defect) => defect.name === name)
  if (found.length === 0)
    throw new Error(`no such defect; there are ${defects.map((each) => each.name).join(', ')}, all`)
  return found
})
/** With a defect named there are runs without one only when they are asked for. */
const seeds = Number(values.seeds ?? (chosen.length > 0 ? 0 : 2))

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const say = (text: string) => process.stdout.write(`${text}\n`)
const template = await makeTemplate({ buyers: Number(values.buyers), scarceUnits: Number(values.scarce) })
try {
  const runs: RunReport[] = []
  let failed = 0
  /** A run that cannot come to its end is told of, and the others go on. */
  const toItsEnd = async <T>(name: string, run: Promise<T>): Promise<T | undefined> => {
    try {
      return await run
    } catch (error) {
      failed += 1
      say(`BROKE OFF  ${name}: ${inspect(error)}`)
      return undefined
    }
  }
  for (const defect of chosen) {
    const run = runDefect(template, defect, (text) => say(`  ${defect.name}: ${text}`))
    const report = await toItsEnd(defect.name, run)
    if (report === undefined) continue
    if (!report.caught) failed += 1
    say(`${report.caught ? 'CAUGHT    ' : 'NOT CAUGHT'} ${defect.name} (${defect.about}), ${seconds(report.tookMs)}`)
    for (const by of report.by) say(`           ${by}`)
  }
  // Topologies run beside each other: most of a run is waiting.
  const inTurn = async (topology: TopologyName) => {
    for (let index = 0; index < seeds; index += 1) {
      const seed = Number(values['first-seed']) + index
      const name = `${topology} seed ${seed}`
      const settings = {
        topology,
        seed,
        arrivalsPerSecond: Number(values.rate),
        durationMs: Number(values['duration-ms']),
        settleWithinMs: Number(values['settle-ms']),
        say: (text: string) => say(`  ${name}: ${text}`),
      }
      const run = await toItsEnd(name, runSeed(template, settings))
      if (run === undefined) continue
      runs.push(run)
      const { invariants, load } = run
      say(
        `${name}: ${seconds(run.tookMs)}, ${load.arrivals} arrivals, orders ${JSON.stringify(run.orders)}, settled after ${invariants.settledMs ?? '-'} ms, ${invariants.holds ? 'all holds' : 'VIOLATED'}`,
      )
      for (const line of violationsOf(run)) say(line)
    }
  }
  await Promise.all((values.topology as TopologyName[]).map(inTurn))
  const { lines, good } = reportOf(runs)
  if (runs.length > 0) for (const line of lines) say(line)
  process.exitCode = failed === 0 && (good || (seeds === 0 && chosen.length > 0)) ? 0 : 1
} finally {
  if (values.keep) say(`kept: ${template.root}`)
  else await rm(template.root, { recursive: true, force: true })
}
// Not by itself: Node.js was seen to wait without end for what it closes when a process has nothing more to do.
process.exit()

// `npm run faults`: the store and its payment system under load and faults, and whether all that must be true stays true.
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { reportOf } from './report.ts'
import { type RunReport, runSeed } from './run-seed.ts'
import { makeTemplate, type TopologyName } from './stage.ts'

const { values } = parseArgs({
  options: {
    topology: { type: 'string', multiple: true, default: ['merged', 'split'] },
    seeds: { type: 'string', default: '2' },
    'first-seed': { type: 'string', default: '1' },
    rate: { type: 'string', default: '12' },
    'duration-ms': { type: 'string', default: '15000' },
    'settle-ms': { type: 'string', default: '60000' },
    buyers: { type: 'string', default: '40' },
    scarce: { type: 'string', default: '25' },
    keep: { type: 'boolean', default: false },
  },
})

const say = (text: string) => process.stdout.write(`${text}\n`)
const template = await makeTemplate({ buyers: Number(values.buyers), scarceUnits: Number(values.scarce) })
try {
  const runs: RunReport[] = []
  for (const topology of values.topology as TopologyName[]) {
    for (let index = 0; index < Number(values.seeds); index += 1) {
      const seed = Number(values['first-seed']) + index
      const run = await runSeed(template, {
        topology,
        seed,
        arrivalsPerSecond: Number(values.rate),
        durationMs: Number(values['duration-ms']),
        settleWithinMs: Number(values['settle-ms']),
        say: (text) => say(`  ${topology} seed ${seed}: ${text}`),
      })
      runs.push(run)
      const { invariants, load } = run
      say(
        `${topology} seed ${seed}: ${(run.tookMs / 1000).toFixed(1)} s, ${load.arrivals} arrivals, orders ${JSON.stringify(run.orders)}, settled after ${invariants.settledMs ?? '-'} ms, ${invariants.holds ? 'all holds' : 'VIOLATED'}`,
      )
    }
  }
  const { lines, good } = reportOf(runs)
  for (const line of lines) say(line)
  process.exitCode = good ? 0 : 1
} finally {
  if (values.keep) say(`kept: ${template.root}`)
  else await rm(template.root, { recursive: true, force: true })
}

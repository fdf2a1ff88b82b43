/**
 * What one call within a process costs, in microseconds of CPU, against a plain function.
 *
 *     npm run bench -- call [--rounds 5] [--seconds 5] [--warmup 14] [--json FILE]
 *
 * The contenders take turns within each round. Medians of the rounds are printed; an absolute time alone says nothing.
 */
import { parseArgs } from 'node:util'
import { median, printTable, writeReport } from '../report.ts'
import { type Contender, contenders } from './contenders.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    json: { type: 'string' },
  },
})

/** Asks for `seconds`, one after another as a handler does, and checks each reply. CPU microseconds per call. */
async function measure(contender: Contender, seconds: number): Promise<number> {
  const untilMs = performance.now() + seconds * 1_000
  const start = process.cpuUsage()
  let calls = 0
  while (performance.now() < untilMs) {
    for (let batch = 0; batch < 500; batch++) {
      const id = `o-${calls++}`
      const reply = await contender.ask(id)
      if (reply.id !== id) throw new Error(`${contender.name} answered ${reply.id} to ${id}`)
    }
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / calls
}

const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (const contender of contenders) await measure(contender, Number(values.warmup) / contenders.length)
for (let round = 0; round < Number(values.rounds); round++) {
  for (const contender of contenders) {
    figures.get(contender.name)?.push(await measure(contender, Number(values.seconds)))
  }
}

const results = [...figures].map(([name, rounds]) => ({ name, microsecondsPerCall: median(rounds), rounds }))
printTable([
  ['', 'CPU us per call', 'least', 'most'],
  ...results.map(({ name, microsecondsPerCall, rounds }) => [
    name,
    ...[microsecondsPerCall, Math.min(...rounds), Math.max(...rounds)].map((figure) => figure.toFixed(2)),
  ]),
])
writeReport(values.json, { benchmark: 'call', results })

/**
 * What one call within a process costs, in microseconds of CPU, against a plain function.
 *
 *     node bench/call/main.ts [--rounds 5] [--seconds 5] [--warmup 14] [--json]
 *
 * The contenders take turns within each round. Medians of the rounds are printed; an absolute time alone says nothing.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Contender, contenders } from './contenders.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    json: { type: 'boolean', default: false },
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

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (const contender of contenders) await measure(contender, Number(values.warmup) / contenders.length)
for (let round = 0; round < Number(values.rounds); round++) {
  for (const contender of contenders) {
    figures.get(contender.name)?.push(await measure(contender, Number(values.seconds)))
  }
}

const results = [...figures].map(([name, rounds]) => ({ name, microsecondsPerCall: median(rounds), rounds }))
if (values.json) {
  const machine = { date: new Date().toISOString(), cpu: cpus()[0]?.model, node: process.version }
  console.log(JSON.stringify({ benchmark: 'call', ...machine, results }, null, 2))
} else {
  for (const { name, microsecondsPerCall, rounds } of results) {
    const spread = `${Math.min(...rounds).toFixed(2)}..${Math.max(...rounds).toFixed(2)}`
    console.log(`${name.padEnd(34)} ${microsecondsPerCall.toFixed(2).padStart(8)} us CPU per call   (${spread})`)
  }
}

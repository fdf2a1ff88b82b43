/**
 * What it costs to publish an event and to have it handled, each once: events a second, time from one to the other, CPU.
 *
 *     npm run bench -- events [--rounds 3] [--seconds 5] [--warmup 14] [--per-transaction 50] [--only REGEXP]
 *       [--rate 500] [--json FILE]
 *
 * Publisher and consumer have a database each, on one PostgreSQL with fsync on. The ways take turns within each round.
 * Throughput: so many events that they take about `seconds`, from the first publication until all are handled.
 * Latency: an open loop at a fixed rate, one event a transaction, from when it was due until its handler has run.
 */
import { parseArgs } from 'node:util'
import { local, type Runner, split, type TestSystem } from 'trestle/testing'
import { median, printTable, writeReport } from '../report.ts'
import { usageOfTree } from '../system/process-tree.ts'
import { consumer, publisher, type Way } from './contracts.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    'per-transaction': { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    rate: { type: 'string', default: '500' },
    json: { type: 'string' },
  },
})
const seconds = Number(values.seconds)

interface Contender {
  readonly name: string
  readonly runner: Runner
  readonly way: Way
  readonly perTransaction: number
  /** A first guess, for how many events there are to be. */
  perSecond: number
}

const perTransaction = Number(values['per-transaction'])
const all: readonly Contender[] = [
  { name: 'one process, batches', runner: local, way: 'bulk', perTransaction, perSecond: 10_000 },
  {
    name: 'one process, batches, one event a transaction',
    runner: local,
    way: 'bulk',
    perTransaction: 1,
    perSecond: 4_000,
  },
  { name: 'one process, one by one', runner: local, way: 'lone', perTransaction, perSecond: 1_000 },
  { name: 'two processes, batches', runner: split, way: 'bulk', perTransaction, perSecond: 10_000 },
  { name: 'two processes, one by one', runner: split, way: 'lone', perTransaction, perSecond: 1_000 },
]
const contenders = all.filter(({ name }) => new RegExp(values.only).test(name))

interface Throughput {
  readonly eventsPerSecond: number
  readonly cpuMicros: number
  readonly postgresCpuMicros: number
}

let runs = 0

/** @throws Error when an event was lost or handled twice */
async function throughput(system: TestSystem, contender: Contender, forSeconds: number): Promise<Throughput> {
  const { way, perTransaction: size, perSecond } = contender
  const events = Math.max(size, Math.round(perSecond * forSeconds))
  const asked = system.client(consumer)
  const { total } = await asked.handled({ reset: true })
  const before = usageOfTree(process.pid)
  const beganMs = performance.now()
  runs += 1
  const run = `r${runs}-${process.pid}`
  await system.client(publisher).flood({ way, events, perTransaction: size, atOnce: 4, run }, { timeoutMs: 600_000 })
  await until(system, total + events)
  const tookMs = performance.now() - beganMs
  const after = usageOfTree(process.pid)
  const eventsPerSecond = (events / tookMs) * 1_000
  contender.perSecond = eventsPerSecond
  return {
    eventsPerSecond,
    cpuMicros: (after.node.cpuMicros - before.node.cpuMicros) / events,
    postgresCpuMicros: (after.postgres.cpuMicros - before.postgres.cpuMicros) / events,
  }
}

async function until(system: TestSystem, total: number): Promise<void> {
  for (const lateMs = performance.now() + 60_000; ; ) {
    const now = (await system.client(consumer).handled({ reset: false })).total
    if (now === total) return
    if (now > total) throw new Error(`${now - total} events were handled more than once`)
    if (performance.now() > lateMs) throw new Error(`${total - now} events were not handled within a minute`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

async function latency(system: TestSystem, { way }: Contender, perSecond: number): Promise<Latency> {
  const { total } = await system.client(consumer).handled({ reset: true })
  runs += 1
  const options = { way, perSecond, seconds, run: `l${runs}-${process.pid}` }
  const { events } = await system.client(publisher).drip(options, { timeoutMs: 600_000 })
  await until(system, total + events)
  const { latenciesMs } = await system.client(consumer).handled({ reset: true })
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

const systemUrl = new URL('./system.ts', import.meta.url)
const systems = new Map<Runner, TestSystem>()
const figures = new Map(
  contenders.map(({ name }) => [name, { throughputs: [] as Throughput[], latencies: [] as Latency[] }]),
)
try {
  for (const { runner } of contenders) {
    if (!systems.has(runner)) systems.set(runner, await runner.start(systemUrl, { stores: 'own', logLevel: 'error' }))
  }
  const systemOf = ({ runner }: Contender) => systems.get(runner) as TestSystem
  for (const each of contenders) await throughput(systemOf(each), each, Number(values.warmup) / contenders.length)
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const each of contenders) {
      figures.get(each.name)?.throughputs.push(await throughput(systemOf(each), each, seconds))
      figures.get(each.name)?.latencies.push(await latency(systemOf(each), each, Number(values.rate)))
    }
  }
} finally {
  for (const system of systems.values()) await system.stop()
}

const results = [...figures].map(([name, { throughputs, latencies }]) => ({
  name,
  eventsPerSecond: median(throughputs.map((each) => each.eventsPerSecond)),
  cpuMicrosPerEvent: median(throughputs.map((each) => each.cpuMicros)),
  postgresCpuMicrosPerEvent: median(throughputs.map((each) => each.postgresCpuMicros)),
  p50Ms: median(latencies.map((each) => each.p50Ms)),
  p99Ms: median(latencies.map((each) => each.p99Ms)),
}))
printTable([
  ['', 'events/s', 'CPU us/event', 'PostgreSQL us/event', `p50 ms at ${values.rate}/s`, 'p99 ms'],
  ...results.map((each) => [
    each.name,
    each.eventsPerSecond.toFixed(0),
    each.cpuMicrosPerEvent.toFixed(0),
    each.postgresCpuMicrosPerEvent.toFixed(0),
    each.p50Ms.toFixed(1),
    each.p99Ms.toFixed(1),
  ]),
])
writeReport(values.json, { benchmark: 'events', results })

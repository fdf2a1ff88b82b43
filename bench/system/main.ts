/**
 * What the store costs as a whole, split and merged: time and CPU to the first answer, memory, CPU per request.
 *
 *     npm run bench -- system [--products 500] [--starts 3] [--rounds 5] [--seconds 5] [--warmup 14]
 *                             [--topologies split,merged] [--json FILE]
 *
 * CPU is summed over all processes of the system, the database server's apart; the load generator's is not counted. The
 * topologies take turns within each round; medians are printed. Linux only.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printTable, writeReport } from '../report.ts'
import { type Ask, askFor } from './load.ts'
import { usageOfTree } from './process-tree.ts'
import { type Contestant, resultOf, tableOf } from './results.ts'
import { journey, type StartFigures, timedStart, type Topology } from './store.ts'

const { values } = parseArgs({
  options: {
    products: { type: 'string', default: '500' },
    starts: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    topologies: { type: 'string', default: 'split,merged' },
    json: { type: 'string' },
  },
})
const [products, starts, rounds] = [Number(values.products), Number(values.starts), Number(values.rounds)]
const [seconds, warmup] = [Number(values.seconds), Number(values.warmup)]
const atOnce = 8
const topologies = values.topologies.split(',') as Topology[]

const folder = mkdtempSync(join(tmpdir(), 'bench-system-'))
// Where the database's user cannot pass, the data would lie elsewhere, and stay there.
chmodSync(folder, 0o711)
const contestants: Contestant[] = []
try {
  for (const topology of topologies) contestants.push(await prepare(topology))
  for (const one of contestants) for (const ask of one.asks) await load(one, ask, warmup / one.asks.length)
  for (let round = 0; round < rounds; round++) {
    for (const one of contestants) for (const ask of one.asks) await measure(one, ask)
  }
  const results = contestants.map(resultOf)
  printTable(tableOf(results))
  writeReport(values.json, { benchmark: 'system', results })
} finally {
  await Promise.all(contestants.map(({ store }) => store.stop()))
  rmSync(folder, { recursive: true, force: true })
}

async function prepare(topology: Topology): Promise<Contestant> {
  const dataDir = join(folder, topology)
  const first = await timedStart(topology, dataDir, products)
  let { store } = first
  const later: StartFigures[] = []
  for (let start = 0; start < starts; start++) {
    await store.stop()
    const again = await timedStart(topology, dataDir, products)
    later.push(again.start)
    store = again.store
  }
  const idle = usageOfTree(store.pid)
  const asks = await journey(store)
  const cost = new Map(asks.map(({ name }) => [name, { node: [], postgres: [] }]))
  return { topology, store, asks, first: first.start, later, idle, cost }
}

function load({ store }: Contestant, ask: Ask, forSeconds: number): Promise<number> {
  return askFor(store.shop.url, ask, { seconds: forSeconds, atOnce })
}

async function measure(one: Contestant, ask: Ask): Promise<void> {
  const before = usageOfTree(one.store.pid)
  const asked = await load(one, ask, seconds)
  const after = usageOfTree(one.store.pid)
  const cost = one.cost.get(ask.name)
  cost?.node.push((after.node.cpuMicros - before.node.cpuMicros) / asked)
  cost?.postgres.push((after.postgres.cpuMicros - before.postgres.cpuMicros) / asked)
}

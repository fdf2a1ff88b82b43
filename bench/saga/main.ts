/**
 * What a checkout of five durable steps costs: checkouts a second, one after the other and 200 at once, and CPU time.
 *
 *     npm run bench -- saga [--rounds 3] [--seconds 5] [--warmup 14] [--at-once 200] [--json FILE]
 *
 * Against DBOS Transact: the same five steps over the same PostgreSQL with fsync on, each with a database of its own. The
 * steps do nothing, so what is measured is what makes them durable. Both write the order first and confirm it in the end.
 * The contenders take turns within each round, and what they say they have done is counted in the database.
 */
import { mkdtemp, chmod, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { embeddedPostgres } from '../../trestle/src/store/embedded/embedded-postgres.ts'
import { median, printTable, writeReport } from '../report.ts'
import { usageOfTree } from '../system/process-tree.ts'
import type { Contender } from './contender.ts'
import { dbosWorkflows } from './dbos.ts'
import { trestleSagas } from './trestle.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    'at-once': { type: 'string', default: '200' },
    json: { type: 'string' },
  },
})

interface Figures {
  readonly perSecond: number
  readonly cpuMicros: number
  readonly postgresCpuMicros: number
  readonly medianMs: number
}

let ids = 0

/** Keeps `atOnce` checkouts under way for `seconds`, and lets them end. @throws Error when one is missing */
async function measure(contender: Contender, atOnce: number, seconds: number): Promise<Figures> {
  const before = await contender.confirmed()
  const usage = usageOfTree(process.pid)
  const beganMs = performance.now()
  const times: number[] = []
  const worker = async () => {
    while (performance.now() < beganMs + seconds * 1_000) {
      const startMs = performance.now()
      await contender.checkout(`o${ids++}`)
      times.push(performance.now() - startMs)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const tookMs = performance.now() - beganMs
  const after = usageOfTree(process.pid)
  const done = (await contender.confirmed()) - before
  if (done !== times.length) throw new Error(`${contender.name} says ${times.length} and has done ${done}`)
  return {
    perSecond: (done / tookMs) * 1_000,
    cpuMicros: (after.node.cpuMicros - usage.node.cpuMicros) / done,
    postgresCpuMicros: (after.postgres.cpuMicros - usage.postgres.cpuMicros) / done,
    medianMs: median(times),
  }
}

const dir = await mkdtemp(join(tmpdir(), 'bench-saga-'))
try {
  await chmod(dir, 0o755)
  await using provider = await opened(dir)
  await using trestle = await trestleSagas(provider.stores)
  await using dbos = await dbosWorkflows(provider.stores)
  const contenders = [trestle, dbos]
  const loads = [1, Number(values['at-once'])]
  for (const each of contenders) {
    for (const atOnce of loads) await measure(each, atOnce, Number(values.warmup) / 4)
  }
  const rows: { name: string; atOnce: number; figures: Figures }[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const atOnce of loads) {
      for (const each of contenders) {
        rows.push({ name: each.name, atOnce, figures: await measure(each, atOnce, Number(values.seconds)) })
      }
    }
  }
  report(rows, loads, contenders)
} finally {
  await rm(dir, { recursive: true, force: true })
}
process.exit()

async function opened(dataDir: string) {
  const stores = await embeddedPostgres({ dataDir: join(dataDir, 'data') })
  return { stores, [Symbol.asyncDispose]: () => stores.close() }
}

function report(
  rows: readonly { readonly name: string; readonly atOnce: number; readonly figures: Figures }[],
  loads: readonly number[],
  contenders: readonly Contender[],
): void {
  const results = loads.flatMap((atOnce) =>
    contenders.map(({ name }) => {
      const rounds = rows.filter((row) => row.name === name && row.atOnce === atOnce).map(({ figures }) => figures)
      const of = (what: keyof Figures) => median(rounds.map((each) => each[what]))
      const middle = { perSecond: of('perSecond'), cpuMicros: of('cpuMicros'), medianMs: of('medianMs') }
      return { name, atOnce, ...middle, postgresCpuMicros: of('postgresCpuMicros'), rounds }
    }),
  )
  printTable([
    ['', 'at once', 'checkouts/s', 'x DBOS', 'median ms', 'CPU us', 'PostgreSQL us', 'cores'],
    ...results.map(({ name, atOnce, perSecond, medianMs, cpuMicros, postgresCpuMicros }) => {
      const peer = results.find((each) => each.atOnce === atOnce && each.name !== 'Trestle')
      const cores = (perSecond * (cpuMicros + postgresCpuMicros)) / 1_000_000
      return [
        name,
        String(atOnce),
        perSecond.toFixed(0),
        (perSecond / (peer?.perSecond ?? perSecond)).toFixed(1),
        medianMs.toFixed(1),
        cpuMicros.toFixed(0),
        postgresCpuMicros.toFixed(0),
        cores.toFixed(2),
      ]
    }),
  ])
  console.log('Bound by: CPU where `cores` comes near the number of them; else by the waits for each commit in turn.')
  writeReport(values.json, { benchmark: 'saga', results })
}

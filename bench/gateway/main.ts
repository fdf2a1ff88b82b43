/**
 * What a request costs a gateway: CPU microseconds over all its processes, and latency at a fixed rate, with one feature
 * after the other on, side by side with peers. `npm run bench -- gateway [options]`, see `--help`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, printTable, writeReport } from '../report.ts'
import { usageOfTree } from '../system/process-tree.ts'
import { document } from './document.ts'
import { startLoad } from './load.ts'
import type { Running, Subject } from './subject.ts'
import { caddy } from './subjects/caddy.ts'
import { fastify } from './subjects/fastify.ts'
import { haproxy } from './subjects/haproxy.ts'
import { krakend } from './subjects/krakend.ts'
import { nginx } from './subjects/nginx.ts'
import { trestle } from './subjects/trestle.ts'

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(
    'options: --rate 2000 --rounds 3 --seconds 5 --warmup 14 --connections 64 --only trestle,nginx --json FILE',
  )
  process.exit(0)
}
const perSecond = Number(values.rate)
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const wanted = values.only === '' ? undefined : values.only.split(',')

interface Measured {
  readonly subject: Subject
  readonly running: Running
  readonly idleRssBytes: number
  readonly micros: number[]
  readonly latencies: { p50: number; p99: number; p999: number }[]
  fault: string | undefined
}

const all = [...trestle, ...fastify, ...haproxy, ...nginx, ...caddy, ...krakend]
const chosen = all.filter(
  ({ gateway, features }) => wanted?.some((one) => `${gateway} ${features}`.includes(one)) ?? true,
)
const dir = await mkdtemp(join(tmpdir(), 'trestle-bench-'))
const load = await startLoad()
const measured: Measured[] = []
const missing: (readonly [string, string])[] = []
try {
  for (const [at, subject] of chosen.entries()) await startOne(subject, join(dir, String(at)))
  for (let round = 0; round < rounds; round += 1) for (const one of measured) await measure(one)
  print()
} finally {
  await Promise.all(measured.map(({ running }) => running.stop()))
  await load.stop()
  await rm(dir, { recursive: true, force: true })
}
if (measured.some(({ fault }) => fault !== undefined)) process.exitCode = 1

async function startOne(subject: Subject, folder: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  await mkdir(folder, { mode: 0o755 })
  process.stderr.write(`${subject.gateway}, ${subject.features}: `)
  try {
    const running = await subject.start({ upstreamPort: load.upstreamPort, dir: folder })
    const idleRssBytes = usageOfTree(running.pid).node.rssBytes
    const one: Measured = { subject, running, idleRssBytes, micros: [], latencies: [], fault: undefined }
    measured.push(one)
    await ask(one, Number(values.warmup))
    process.stderr.write(`${one.fault ?? 'ready'}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    missing.push([`${subject.gateway}, ${subject.features}`, why])
    process.stderr.write(`missing: ${why}\n`)
  }
}

async function ask(one: Measured, forSeconds: number) {
  const { port, requests } = one.running
  const result = await load.run({
    port,
    requests,
    perSecond,
    seconds: forSeconds,
    connections,
    mustContain: 'A-100200',
  })
  const [wrong] = result.wrong
  if (wrong !== undefined) one.fault ??= `a wrong reply: ${wrong.split('\r\n', 1)[0] ?? ''}`
  else if (result.answered < result.asked)
    one.fault ??= `${result.asked - result.answered} of ${result.asked} unanswered`
  return result
}

async function measure(one: Measured): Promise<void> {
  if (one.fault !== undefined) return
  const before = usageOfTree(one.running.pid)
  const { answered, latencyMs } = await ask(one, seconds)
  const after = usageOfTree(one.running.pid)
  const spent = after.node.cpuMicros - before.node.cpuMicros + (after.postgres.cpuMicros - before.postgres.cpuMicros)
  one.micros.push(spent / answered)
  one.latencies.push(latencyMs)
}

function print(): void {
  const bareOf = (gateway: string) => {
    const bare = measured.find(({ subject }) => subject.gateway === gateway && subject.features === 'bare')
    return bare === undefined ? 0 : median(bare.micros)
  }
  const rows = measured.map(({ subject, running, idleRssBytes, micros, latencies, fault }) => {
    const cpu = median(micros)
    const bare = bareOf(subject.gateway)
    const at = (name: 'p50' | 'p99' | 'p999') => median(latencies.map((one) => one[name]))
    return {
      gateway: subject.gateway,
      features: subject.features,
      cpuMicrosPerRequest: cpu,
      timesOwnBare: bare > 0 ? cpu / bare : 1,
      moreThanBareMicros: cpu - bare,
      p50Ms: at('p50'),
      p99Ms: at('p99'),
      p999Ms: at('p999'),
      idleRssMiB: idleRssBytes / 1_048_576,
      loadedRssMiB: usageOfTree(running.pid).node.rssBytes / 1_048_576,
      fault,
    }
  })
  const head = [
    'gateway',
    'features',
    'CPU us/request',
    'x own bare',
    '+ us',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'RSS MiB idle',
    'loaded',
  ]
  printTable([
    head,
    ...rows.map((row) =>
      row.fault === undefined
        ? [
            row.gateway,
            row.features,
            row.cpuMicrosPerRequest.toFixed(1),
            row.timesOwnBare.toFixed(2),
            row.moreThanBareMicros.toFixed(1),
            row.p50Ms.toFixed(2),
            row.p99Ms.toFixed(2),
            row.p999Ms.toFixed(2),
            row.idleRssMiB.toFixed(0),
            row.loadedRssMiB.toFixed(0),
          ]
        : [row.gateway, row.features, 'void', row.fault],
    ),
  ])
  console.log(
    `\n${perSecond} requests a second over ${connections} connections, ${rounds} rounds of ${seconds} s, medians; ${document.length} bytes`,
  )
  for (const [who, why] of missing) console.log(`missing: ${who}: ${why}`)
  const results = [...rows, ...missing.map(([who, why]) => ({ missing: who, why }))]
  writeReport(values.json, { benchmark: 'gateway', results })
}

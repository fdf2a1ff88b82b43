/**
 * Three upstreams, one of which becomes ten times slower and well again: latency through our gateway and through round
 * robin, before, during and after.
 *
 *     npm run bench -- balance [--rate 200] [--rounds 3] [--seconds 5] [--warmup 14] [--json FILE]
 *
 * Open loop: requests are sent at a fixed rate, and latency counts from the moment at which each was due. The contenders
 * take turns within each round; medians of the rounds are printed. A wrong reply voids the run.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, printTable, writeReport } from '../report.ts'
import { choiceCostNs } from './choice-cost.ts'
import { openLoop, percentile } from './open-loop.ts'

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '14' },
    json: { type: 'string' },
  },
})
const [rate, rounds] = [Number(values.rate), Number(values.rounds)]
const [seconds, warmup] = [Number(values.seconds), Number(values.warmup)]

interface Contender {
  readonly name: string
  readonly url: string
  readonly agent: Agent
  /** One figure for each round. */
  readonly figures: Record<Phase, Record<Percentile, number[]>>
}

const phases = ['before', 'during', 'after'] as const
type Phase = (typeof phases)[number]
const percentiles = [50, 90, 99] as const
type Percentile = (typeof percentiles)[number]

const folder = mkdtempSync(join(tmpdir(), 'bench-balance-'))
const children: ChildProcess[] = []
try {
  const upstreams = start('upstreams-main.ts', [])
  const { ports } = await said<{ ports: number[] }>(upstreams)
  const contenders: Contender[] = []
  for (const name of ['ours', 'round-robin']) {
    const child = start('balancer-main.ts', [name, ...ports.map(String)])
    const { url } = await said<{ url: string }>(child)
    contenders.push({ name, url, agent: new Agent({ keepAlive: true }), figures: noFigures() })
  }
  for (const one of contenders) await ask(one, warmup / contenders.length)
  for (let round = 0; round < rounds; round++) {
    for (const one of contenders) {
      for (const phase of phases) {
        upstreams.send({ slower: phase === 'during' ? 10 : 1 })
        const latenciesMs = await ask(one, seconds)
        note(one.figures[phase], latenciesMs)
      }
    }
  }
  const results = contenders.flatMap(({ name, figures }) =>
    phases.map((phase) => {
      const [p50Ms = 0, p90Ms = 0, p99Ms = 0] = percentiles.map((percent) => median(figures[phase][percent]))
      return { name, phase, p50Ms, p90Ms, p99Ms }
    }),
  )
  const rows = results.map(({ name, phase, ...figures }) => [
    `${name}, ${phase}`,
    ...Object.values(figures).map((ms) => ms.toFixed(1)),
  ])
  printTable([['one of three becomes ten times slower', 'p50 ms', 'p90 ms', 'p99 ms'], ...rows])
  const choiceNs = median(Array.from({ length: rounds }, () => choiceCostNs(seconds / 5)))
  console.log(`choosing a target and learning how it ended: ${choiceNs.toFixed(0)} ns of CPU`)
  writeReport(values.json, { benchmark: 'balance', results: [...results, { name: 'choice', choiceNs }] })
  for (const { agent } of contenders) agent.destroy()
} finally {
  for (const child of children) child.disconnect()
  await Promise.all(children.map(ended))
  rmSync(folder, { recursive: true, force: true })
}

async function ask({ name, url, agent }: Contender, forSeconds: number): Promise<readonly number[]> {
  const { latenciesMs, errors } = await openLoop(`${url}/item`, agent, rate, forSeconds)
  if (errors > 0) throw new Error(`${name} answered ${errors} requests wrongly`)
  return latenciesMs
}

function start(file: string, args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, file), args, { cwd: folder })
  children.push(child)
  return child
}

async function said<T>(child: ChildProcess): Promise<T> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${code}`)
    }),
  ])) as [T]
  return message
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

function note(figures: Record<Percentile, number[]>, latenciesMs: readonly number[]): void {
  for (const percent of percentiles) figures[percent].push(percentile(latenciesMs, percent))
}

function noFigures(): Contender['figures'] {
  return { before: none(), during: none(), after: none() }
}

function none(): Record<Percentile, number[]> {
  return { 50: [], 90: [], 99: [] }
}

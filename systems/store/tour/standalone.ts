import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startCommand } from 'trestle/testing'
import { type Replica, startReplica } from './replica.ts'
import type { Story } from './story.ts'
import { steadyTraffic, type TrafficReport } from './traffic.ts'

const perSecond = 150
const phaseMs = 1_200
const usualMs = 5
const slowMs = 400
/** Of a third that it would get in turn. */
const slowShareMax = 0.15

/** A gateway alone, in front of three servers that know nothing of Trestle; one of them becomes slow. */
export async function standaloneChapter(story: Story, dataDir: string): Promise<void> {
  story.chapter('A gateway alone, in front of three foreign servers')
  await using opened = new AsyncDisposableStack()
  const replicas: Replica[] = []
  for (let n = 0; n < 3; n++) replicas.push(opened.use(await startReplica(usualMs)))
  const file = join(dataDir, 'gateway.yaml')
  await writeFile(file, configuration(replicas.map(({ url }) => url)))
  const gateway = opened.use(await startCommand(['gateway', file], { dataDir: join(dataDir, 'alone') }))
  story.say(`trestle gateway gateway.yaml: ready after ${(gateway.startMs / 1_000).toFixed(1)} s`)
  await slowReplica(story, gateway.url, replicas)
  await leakedHeader(story, gateway.url, replicas)
}

async function slowReplica(story: Story, url: string, replicas: readonly Replica[]): Promise<void> {
  const before = await phase(url, replicas)
  const [slow] = replicas
  slow?.delay(slowMs)
  // It has to be noticed first.
  await phase(url, replicas, phaseMs / 2)
  const after = await phase(url, replicas)
  slow?.delay(usualMs)
  story.say(`all alike: ${shares(before)}; one answers after ${slowMs} ms instead of ${usualMs}: ${shares(after)}`)
  const total = after.counts.reduce((sum, count) => sum + count, 0)
  const share = (after.counts[0] ?? 0) / total
  story.evidence(
    'a slow replica is routed around, and no request fails',
    total > 0 && share < slowShareMax && before.report.failures.size + after.report.failures.size === 0,
    `${(share * 100).toFixed(1)} % of ${total} requests, ${after.report.failures.size} failed`,
  )
}

async function leakedHeader(story: Story, url: string, replicas: readonly Replica[]): Promise<void> {
  const spoofed = {
    'trestle-caller-id': 'root-spoofed',
    'x-forwarded-for': '203.0.113.66',
    'x-real-ip': '203.0.113.66',
    x_user_id: 'root-spoofed',
  }
  const answer = await fetch(`${url}/things/1`, { headers: { ...spoofed, 'x-mine': 'passed-on' } })
  await answer.arrayBuffer()
  const seen = replicas.map((replica) => replica.headersOf('passed-on')).find((headers) => headers !== undefined)
  const leaked = seen === undefined ? undefined : /spoofed|203\.0\.113\.66/.test(JSON.stringify(seen))
  story.evidence(
    'a header that only the gateway may set, set by a client, reaches nobody',
    answer.status === 200 && leaked === false,
    `${Object.keys(spoofed).length} sent; the server saw x-forwarded-for: ${String(seen?.['x-forwarded-for'])}`,
  )
}

interface Phase {
  readonly report: TrafficReport
  /** Requests that each replica answered. */
  readonly counts: readonly number[]
}

async function phase(url: string, replicas: readonly Replica[], ms = phaseMs): Promise<Phase> {
  const before = replicas.map(({ answered }) => answered())
  const stop = steadyTraffic(async (signal) => {
    const response = await fetch(`${url}/things/1`, { signal })
    await response.arrayBuffer()
    return response.status
  }, perSecond)
  await new Promise((resolve) => setTimeout(resolve, ms))
  const report = await stop()
  return { report, counts: replicas.map(({ answered }, at) => answered() - (before[at] ?? 0)) }
}

function shares({ counts }: Phase): string {
  return counts.join(' + ')
}

function configuration(urls: readonly string[]): string {
  return [
    'name: edge',
    'upstreams:',
    '  things:',
    '    targets:',
    ...urls.map((url) => `      - ${url}`),
    'routes:',
    '  - path: /things/*',
    '    upstream: things',
    '    access: anyone',
    '',
  ].join('\n')
}

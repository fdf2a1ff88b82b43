import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { startBench } from '../gateway-fixture.ts'
import { rateLimit, redis } from '../index.ts'
import { countersConformance } from './counters-conformance.ts'
import { redisCounters } from './redis-counters.ts'

// `npm run test:servers` says where the program is.
const program = process.env['TRESTLE_TEST_REDIS_SERVER'] ?? 'redis-server'
let port = 0
let folder = ''
let server: ReturnType<typeof spawn> | undefined

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: free } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return free
}

async function startRedis(): Promise<void> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  server = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const chunk of server.stdout as AsyncIterable<Buffer>) {
    said += chunk.toString()
    if (said.includes('Ready to accept connections')) break
  }
  expect(said).toContain('Ready to accept connections')
}

async function stopRedis(signal: NodeJS.Signals): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
  const gone = once(server, 'exit')
  server.kill(signal)
  await gone
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trestle-redis-'))
  port = await freePort()
  await startRedis()
})
afterAll(async () => {
  await stopRedis('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

countersConformance('a Redis', async () => {
  const counters = await redisCounters(
    { url: `redis://127.0.0.1:${port}`, prefix: 'conformance' },
    { clock: systemClock, onError: () => {} },
  )
  return { counters, close: () => counters.close() }
})

const open = (options: Omit<Parameters<typeof rateLimit>[0], 'per'>) =>
  startBench(undefined, {
    counters: redis({ url: `redis://127.0.0.1:${port}`, prefix: `test-${process.pid}` }),
    policies: [rateLimit({ per: 'ip', ...options })],
  })

describe('gateways that count in one Redis', () => {
  it('let exactly the burst in between them', async () => {
    const options = { name: 'together', allow: 20, windowMs: 86_400_000 }
    const gateways = await Promise.all([open(options), open(options)])
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, at) => (gateways[at % 2] as (typeof gateways)[0]).fetch('/pub/notes')),
    )
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(40)
    await Promise.all(gateways.flatMap((one) => [one.stop(), one.gateway.close()]))
  })

  it('go on as each limit says when it is killed under load, without a 500, and count there again when it is back', async () => {
    const [open1, local, closed] = await Promise.all([
      open({ name: 'open', allow: 5, windowMs: 86_400_000, whenStoreDown: 'open' }),
      open({ name: 'local', allow: 5, windowMs: 86_400_000, whenStoreDown: 'local' }),
      open({ name: 'closed', allow: 100_000, windowMs: 86_400_000, whenStoreDown: 'closed' }),
    ])
    const seen = {
      open: new Map<number, number>(),
      local: new Map<number, number>(),
      closed: new Map<number, number>(),
    }
    const slowest = { ms: 0 }
    const phase = { killed: false, over: false }
    const load = async (name: keyof typeof seen, bench: typeof open1) => {
      while (!phase.over) {
        const started = performance.now()
        const { status } = await bench.fetch('/pub/notes')
        slowest.ms = Math.max(slowest.ms, performance.now() - started)
        if (phase.killed) seen[name].set(status, (seen[name].get(status) ?? 0) + 1)
      }
    }
    const running = [load('open', open1), load('local', local), load('closed', closed)]
    await expect.poll(async () => (await closed.fetch('/pub/notes')).status).toBe(200)
    await stopRedis('SIGKILL')
    phase.killed = true
    const enough = () =>
      (seen.open.get(200) ?? 0) > 200 && (seen.closed.get(503) ?? 0) > 200 && (seen.local.get(429) ?? 0) > 200
    await expect.poll(enough, { timeout: 20_000 }).toBe(true)
    phase.over = true
    await Promise.all(running)
    // Whom the store had refused is refused until its debt is over; nobody else is.
    expect([...seen.open.keys()].every((status) => status === 200 || status === 429)).toBe(true)
    expect([...seen.local.keys()].every((status) => status === 200 || status === 429)).toBe(true)
    expect([...seen.closed.keys()].every((status) => status === 200 || status === 503)).toBe(true)
    expect(slowest.ms).toBeLessThan(2_000)
    await startRedis()
    await expect.poll(async () => (await closed.fetch('/pub/notes')).status, { timeout: 20_000 }).toBe(200)
    for (const one of [open1, local, closed]) {
      expect(one.errors).toEqual([])
      await one.stop()
      await one.gateway.close()
    }
  })
})

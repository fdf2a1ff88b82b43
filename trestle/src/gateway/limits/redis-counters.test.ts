import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { rateLimit, redis } from '../index.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** Listens where a Redis should be: takes what is sent and says nothing. */
async function silentListener(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {}).resume()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function start(port: number, whenStoreDown: 'local' | 'open' | 'closed'): Promise<Bench> {
  const bench = await startBench(undefined, {
    counters: redis({ url: `redis://127.0.0.1:${port}`, timeoutMs: 50 }),
    policies: [rateLimit({ per: 'ip', allow: 2, windowMs: 86_400_000, whenStoreDown })],
  })
  closers.push(
    () => bench.stop(),
    () => bench.gateway.close(),
  )
  return bench
}

async function statuses(bench: Bench, count: number): Promise<readonly number[]> {
  const seen = []
  for (let request = 0; request < count; request += 1) seen.push((await bench.fetch('/pub/notes')).status)
  return seen
}

describe('a gateway whose Redis', () => {
  it.each([
    ['refuses connections', closedPort],
    ['takes connections and says nothing', silentListener],
  ] as const)('%s starts, serves, and does as each limit says', async (_, listen) => {
    const port = await listen()
    const [local, open, closed] = await Promise.all([start(port, 'local'), start(port, 'open'), start(port, 'closed')])
    expect(await statuses(local, 4)).toEqual([200, 200, 429, 429])
    expect(await statuses(open, 10)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(await statuses(closed, 10)).toEqual(Array.from({ length: 10 }, () => 503))
    expect((await closed.fetch('/pub/notes')).headers.get('retry-after')).toBe('1')
    expect(closed.metrics.text()).toMatch(/^trestle_gateway_counters_up 0$/m)
  })

  it('has no address is refused, without saying what was given', () => {
    expect(() => redis({ url: 'http://:secret@host' })).toThrow(/^redis: url is no address like/)
    expect(() => redis({ url: 'redis://host', timeoutMs: 0 })).toThrow(/timeoutMs/)
  })
})

import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import type { ClusterState } from '../../registry/cluster.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { type RawReply, rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream, type UpstreamOptions } from './upstream.ts'

interface Fronted extends AsyncDisposable {
  readonly bench: Bench
  readonly servers: readonly RecordingUpstream[]
  state(): ClusterState
  /** Statuses of so many requests, some at once. */
  ask(count: number, atOnce?: number): Promise<number[]>
}

/** A gateway before real servers on the loopback, one for each reply. */
async function fronted(replies: readonly RawReply[], options: UpstreamOptions = {}): Promise<Fronted> {
  const servers = await Promise.all(replies.map((reply) => recordingUpstream(reply)))
  const targets = servers.map(({ url }) => url)
  const bench = await startBench(undefined, { routes: [upstream('/x/*', targets, { access: anyone(), ...options })] })
  const status = async () => {
    const reply = await bench.fetch('/x/1')
    await reply.arrayBuffer()
    return reply.status
  }
  return {
    bench,
    servers,
    state: () => bench.gateway.upstreams()[0] as ClusterState,
    async ask(count, atOnce = 4) {
      const statuses: number[] = []
      while (statuses.length < count) {
        statuses.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - statuses.length) }, status))))
      }
      return statuses
    },
    async [Symbol.asyncDispose]() {
      await bench.stop()
      await bench.gateway.close()
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

const well: RawReply = () => rawReply('ok')
/** Far slower than a server that a busy machine holds up. */
const slow: RawReply = ({ socket }) => {
  setTimeout(() => socket.writable && socket.write(rawReply('ok')), 400)
  return undefined
}
const failing: RawReply = () => rawReply('', '', '500 Internal Server Error')
const hanging: RawReply = () => undefined
const resetting: RawReply = ({ socket }) => {
  socket.resetAndDestroy()
  return undefined
}

/** Where the requests took so long that its time is over, it is being tried again. */
const leftAlone = expect.stringMatching(/^(?:ejected|probation)$/)

const count = (statuses: readonly number[], wanted: number) => statuses.filter((status) => status === wanted).length
const targetOf = (at: Fronted, index: number) => at.state().members.find(({ id }) => id === at.servers[index]?.url)

/** A reply of the gateway alone; a few requests may be tries whether the server is well again. */
async function notAsked(at: Fronted): Promise<Response> {
  const replies = await Promise.all(Array.from({ length: 10 }, () => at.bench.fetch('/x/1')))
  return replies.find(({ status }) => status === 503) ?? (replies[0] as Response)
}

describe('with real servers, one of which', () => {
  it('is slow: it gets far less than its share, and the others answer', async () => {
    await using at = await fronted([well, well, slow])
    expect(count(await at.ask(200), 200)).toBe(200)
    expect(at.servers[2]?.requests.length).toBeGreaterThan(0)
    // A third would be 67. By how much less is held with a clock of its own, in the simulation of clusters.
    expect(at.servers[2]?.requests.length).toBeLessThan(40)
  })

  it('fails: it is left alone as soon as it is plainly worse than the others, and comes back when it is well', async () => {
    await using at = await fronted([well, well, failing])
    const statuses = await at.ask(100)
    expect(count(statuses, 500)).toBeGreaterThan(0)
    expect(count(statuses, 500)).toBeLessThan(15)
    expect(targetOf(at, 2)).toMatchObject({
      state: leftAlone,
      lastEjection: { reason: expect.stringMatching(/failures in a row|requests failed/), atMs: expect.any(Number) },
    })
    const bad = at.servers[2] as RecordingUpstream
    bad.reply = well
    const until = performance.now() + 15_000
    while (targetOf(at, 2)?.state !== 'healthy' && performance.now() < until) await at.ask(4)
    expect(targetOf(at, 2)?.state).toBe('healthy')
  })

  it('resets every connection: no client notices where a request may be repeated', async () => {
    await using at = await fronted([well, well, resetting])
    expect(count(await at.ask(200), 200)).toBe(200)
    expect(at.servers[2]?.requests.length).toBeLessThan(20)
    expect(targetOf(at, 2)?.state).toEqual(leftAlone)
  })

  it('hangs: few requests run into their time-out before it is left alone', async () => {
    await using at = await fronted([well, well, hanging], { timeoutMs: 200 })
    const statuses = await at.ask(200)
    expect(count(statuses, 504)).toBeGreaterThan(0)
    expect(count(statuses, 504)).toBeLessThan(15)
    expect(count(statuses, 200) + count(statuses, 504)).toBe(200)
  })
})

describe('with one real server that', () => {
  it('resets every connection: it is asked a few times, then not at all for a while, and served again by itself', async () => {
    await using at = await fronted([resetting], { retries: 0 })
    const statuses = await at.ask(60)
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(502))
    expect(count(statuses, 503)).toBeGreaterThan(30)
    const refused = await notAsked(at)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'unavailable' })
    const only = at.servers[0] as RecordingUpstream
    only.reply = well
    const until = performance.now() + 10_000
    while (at.state().breaker !== 'closed' && performance.now() < until) await at.ask(1)
    expect(await at.ask(20)).toEqual(Array(20).fill(200))
  })
})

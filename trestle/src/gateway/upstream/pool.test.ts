import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { startBench } from '../gateway-fixture.ts'
import { gateway } from '../gateway.ts'
import type { Policy } from '../policy/policy.ts'
import { rawReply, recordingUpstream } from '../refusals/recording-upstream.ts'
import { createReplaceableGateway } from '../reload/replaceable-gateway.ts'
import { upstream } from './upstream.ts'

const health = { path: '/healthz' }

describe('upstreams of one pool', () => {
  it('share what is known of a target, and ask it for its health once', async () => {
    const server = await recordingUpstream(({ text }) =>
      text.startsWith('GET /a/') ? rawReply('', '', '500 Internal Server Error') : rawReply('ok'),
    )
    const options = { access: anyone(), pool: 'items', health }
    const bench = await startBench(undefined, {
      routes: [upstream('/a/*', [server.url], options), upstream('/b/*', [server.url], options)],
    })
    const failures = 3
    for (let n = 0; n < failures; n += 1) expect((await bench.fetch('/a/x')).status).toBe(500)
    expect((await bench.fetch('/b/x')).status).toBe(200)
    await expect.poll(() => server.requests.some((line) => line.startsWith('GET /healthz'))).toBe(true)
    expect(server.requests.filter((line) => line.startsWith('GET /healthz'))).toHaveLength(1)
    expect(bench.gateway.upstreams()).toMatchObject([
      { name: 'items', members: [{ id: server.url, requests: failures + 1, failures }] },
    ])
    await bench.stop()
    await bench.gateway.close()
    await server.stop()
  })

  it('say the same of it', () => {
    const one = upstream('/a/*', ['http://127.0.0.1:1'], { pool: 'items' })
    const pool = (options: object, target = 'http://127.0.0.1:1') => [
      one,
      upstream('/b/*', [target], { pool: 'items', ...options }),
    ]
    expect(() => gateway({ routes: pool({ timeoutMs: 5, mirror: { to: 'http://127.0.0.1:2' } }) })).not.toThrow()
    expect(() => gateway({ routes: pool({ pool: 'others', health }) })).not.toThrow()
    expect(() => gateway({ routes: pool({ health }) })).toThrow(
      'upstream(/b/*): health must be what upstream(/a/*) says, both are of the pool items',
    )
    expect(() => gateway({ routes: pool({}, 'http://127.0.0.1:2') })).toThrow('targets must be')
    expect(() => gateway({ routes: pool({ resilience: { breaker: false } }) })).toThrow('resilience must be')
  })
})

describe('a new description that cannot be opened', () => {
  it.each([undefined, 'items'])('leaves the targets of the old one as they are: pool %s', async (pool) => {
    const made = (port: number, policies: readonly Policy[] = []) =>
      gateway({
        routes: [upstream('/a', [`http://127.0.0.1:${port}`], { access: anyone(), ...(pool && { pool }) })],
        policies,
      })
    const gateways = await createReplaceableGateway(made(1), {
      send: () => Promise.reject(new Error('nobody is called')),
      clock: virtualClock(),
      log: { info() {}, warn() {}, error() {} },
      metrics: createMetrics(),
      readiness: () => ({ ready: true, services: [] }),
      systemName: 'test',
    })
    const broken: Policy = {
      kind: 'policy',
      name: 'broken',
      stage: 'limits',
      open: () => Promise.reject(new TypeError('no')),
    }
    const targets = () =>
      gateways
        .current()
        .upstreams()
        .flatMap(({ members }) => members.map(({ id }) => id))
    await expect(gateways.replace(made(2, [broken]))).rejects.toThrow('no')
    expect(targets()).toEqual(['http://127.0.0.1:1'])
    await gateways.replace(made(2))
    expect(targets()).toEqual(['http://127.0.0.1:2'])
    await gateways.close()
  })
})

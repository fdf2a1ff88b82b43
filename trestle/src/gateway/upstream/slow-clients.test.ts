import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import type { ClusterState } from '../../registry/cluster.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from './upstream.ts'

const timeoutMs = 200
const stateOf = (bench: Bench) => bench.gateway.upstreams()[0] as ClusterState

async function fronted(server: RecordingUpstream): Promise<Bench> {
  return await startBench(undefined, { routes: [upstream('/x/*', [server.url], { access: anyone(), timeoutMs })] })
}

/** Sends a head and two bytes of the body, the rest too late; gives the first line of the reply. */
function partOf(port: number, method: string, length = 10): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${method} /x/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\nab`)
      setTimeout(() => socket.write('x'.repeat(length - 2)), timeoutMs * 5)
    })
    socket.setEncoding('latin1').on('error', () => resolve('broken'))
    socket.on('data', (text: string) => {
      resolve(text.slice(0, text.indexOf('\r\n')))
      socket.destroy()
    })
  })
}

describe('clients that are slow to send their bodies', () => {
  it.each(['POST', 'PUT'])('get a 408, and the upstream is asked by others as before: %s', async (method) => {
    await using server = await recordingUpstream()
    const bench = await fronted(server)
    try {
      // More than it takes for a breaker to open.
      const replies = await Promise.all(Array.from({ length: 30 }, () => partOf(bench.port, method)))
      expect(new Set(replies)).toEqual(new Set(['HTTP/1.1 408 Request Timeout']))
      expect(stateOf(bench)).toMatchObject({ breaker: 'closed', members: [{ state: 'healthy', failures: 0 }] })
      expect((await bench.fetch('/x/1')).status).toBe(200)
    } finally {
      await bench.stop()
      await bench.gateway.close()
    }
  })

  it('do not make the upstream look slow', async () => {
    await using server = await recordingUpstream()
    const bench = await fronted(server)
    try {
      await Promise.all(Array.from({ length: 3 }, () => partOf(bench.port, 'POST')))
      expect(stateOf(bench).members[0]?.latencyMs).toBeLessThan(timeoutMs / 2)
    } finally {
      await bench.stop()
      await bench.gateway.close()
    }
  })

  it('are no excuse for an upstream that has the whole body and does not answer', async () => {
    await using server = await recordingUpstream(() => undefined)
    const bench = await fronted(server)
    try {
      expect(await partOf(bench.port, 'POST', 2)).toBe('HTTP/1.1 504 Gateway Timeout')
      expect(stateOf(bench).members[0]?.failures).toBe(1)
    } finally {
      await bench.stop()
      await bench.gateway.close()
    }
  })
})

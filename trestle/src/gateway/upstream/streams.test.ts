import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { startBench } from '../gateway-fixture.ts'
import { rawReply, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from './upstream.ts'

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const event = '9\r\ndata: x\n\n\r\n'

describe('a stream of events', () => {
  it('is passed on as it comes, for longer than its head may take, until it is silent for too long', async () => {
    await using server = await recordingUpstream(({ socket }) => {
      let left = 5
      const next = () => {
        left -= 1
        if (!socket.writable) return
        socket.write(event)
        if (left > 0) setTimeout(next, 30)
      }
      socket.write(head)
      next()
      return undefined
    })
    const route = upstream('/x/*', [server.url], { access: anyone(), timeoutMs: 60, idleTimeoutMs: 400 })
    const bench = await startBench(undefined, { routes: [route] })
    try {
      const reply = await bench.fetch('/x/1')
      let text = ''
      const read = async () => {
        for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>)
          text += Buffer.from(chunk).toString()
      }
      await expect(read()).rejects.toThrow('terminated')
      expect(text).toBe('data: x\n\n'.repeat(5))
    } finally {
      await bench.stop()
      await bench.gateway.close()
    }
  })

  it('leaves room for others: hundreds of them at once, and a request beside them is answered', async () => {
    let streams = 0
    await using server = await recordingUpstream(({ text }) => {
      if (text.startsWith('GET /x/short')) return rawReply('short')
      streams += 1
      return head + event
    })
    const bench = await startBench(undefined, { routes: [upstream('/x/*', [server.url], { access: anyone() })] })
    const leave = new AbortController()
    try {
      const { signal } = leave
      const heads = await Promise.all(Array.from({ length: 300 }, () => bench.fetch('/x/stream', { signal })))
      expect(heads.every(({ status }) => status === 200)).toBe(true)
      expect(streams).toBe(300)
      expect(await (await bench.fetch('/x/short')).text()).toBe('short')
    } finally {
      leave.abort()
      await bench.stop()
      await bench.gateway.close()
    }
  })

  it('may be silent for five minutes unless the route says otherwise', () => {
    expect(upstream('/x/*', ['http://127.0.0.1:1']).idleTimeoutMs).toBe(300_000)
    expect(() => upstream('/x/*', ['http://127.0.0.1:1'], { idleTimeoutMs: 0 })).toThrow('idleTimeoutMs')
  })
})

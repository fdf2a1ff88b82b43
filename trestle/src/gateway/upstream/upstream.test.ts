import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from './upstream.ts'

describe('an upstream', () => {
  let server: RecordingUpstream
  let bench: Bench
  beforeAll(async () => {
    server = await recordingUpstream()
    bench = await startBench(undefined, {
      routes: [upstream('/legacy/*', [server.url], { stripPrefix: '/legacy', access: anyone() })],
    })
  })
  afterAll(async () => {
    await bench.stop()
    await server.stop()
  })

  it('gets the request without its prefix, and its reply is the reply', async () => {
    server.reply = () => rawReply('hello', 'X-A: b\r\nContent-Type: text/plain\r\n', '203 Fine')
    const reply = await bench.fetch('/legacy/a/b?c=d')
    expect([reply.status, reply.headers.get('x-a'), await reply.text()]).toEqual([203, 'b', 'hello'])
    expect(server.requests.at(-1)).toMatch(/^GET \/a\/b\?c=d HTTP\/1\.1\r\n/)
  })
})

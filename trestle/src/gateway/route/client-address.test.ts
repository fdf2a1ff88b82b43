import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyone, clientAddressHeader, contract, get } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { expose } from './expose.ts'

const mirror = contract('mirror', {
  version: '1.0.0',
  operations: {
    look: get('/look/', {
      input: z.object({ address: z.string().optional() }),
      output: z.string(),
      headers: { address: clientAddressHeader },
      access: anyone(),
    }),
  },
})

const running: Bench[] = []
afterEach(async () => {
  for (const bench of running.splice(0)) await bench.stop()
})

async function addressSeen(headers: Record<string, string>, trustedProxies: readonly string[] = []): Promise<unknown> {
  const bench = await startBench(undefined, { routes: [expose(mirror)], trustedProxies })
  running.push(bench)
  expect((await bench.fetch('/look/', { headers })).status).toBe(200)
  const [call] = bench.calls
  return (call?.input as { headers: unknown } | undefined)?.headers
}

describe("a field bound to the client's address", () => {
  it('is the peer, whatever a client that nobody trusts says', async () => {
    const spoofed = { [clientAddressHeader]: '203.0.113.1', 'x-forwarded-for': '203.0.113.2' }
    expect(await addressSeen(spoofed)).toEqual({ address: '127.0.0.1' })
  })

  it('is what a trusted proxy says, never the header of that name', async () => {
    const proxied = { [clientAddressHeader]: '203.0.113.1', 'x-forwarded-for': '203.0.113.9, 198.51.100.2' }
    expect(await addressSeen(proxied, ['127.0.0.0/8'])).toEqual({ address: '198.51.100.2' })
    expect(await addressSeen(proxied, ['127.0.0.0/8', '198.51.100.0/24'])).toEqual({ address: '203.0.113.9' })
  })

  it('is no parameter of the OpenAPI document', async () => {
    const bench = await startBench(undefined, { routes: [expose(mirror)] })
    running.push(bench)
    const { paths } = bench.gateway.openapi() as { paths: Record<string, { get: { parameters?: unknown } }> }
    expect(paths['/look/']?.get).toBeDefined()
    expect(JSON.stringify(paths)).not.toContain('address')
  })
})

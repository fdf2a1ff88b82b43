import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Handle } from '../call/call.ts'
import type { Address } from '../call/instance.ts'
import { signedCallers } from '../call/signed-callers.ts'
import { createGateway } from '../gateway/create-gateway.ts'
import { expose, gateway } from '../gateway/index.ts'
import { createHttpClient, serve } from '../http/index.ts'
import { systemClock } from '../std/clock.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { httpTransport } from '../transport/http/index.ts'
import { connectLink, listenLink } from '../transport/link/index.ts'
import { localTransport } from '../transport/local/local-transport.ts'
import { transportConformance, type TransportPair } from './transport-conformance.ts'
import { probe } from './transport-conformance-service.ts'

const quiet = { info() {}, warn() {}, error() {} }

transportConformance('local', async (handle) => ({ transport: localTransport(handle), async close() {} }))

async function linkPair(handle: Handle, address: Address): Promise<TransportPair> {
  const systemKey = new Uint8Array(32).fill(1)
  const ends = {
    key: systemKey,
    callers: signedCallers({ systemKey, clock: systemClock }),
    clock: systemClock,
    log: quiet,
  }
  const server = await listenLink({ ...ends, address, self: { process: 'probe', services: ['probe'] }, handle })
  const self = { process: 'tester', services: ['tester'] }
  return {
    transport: connectLink({ ...ends, address: server.address, self }),
    close: () => server.close(),
  }
}

transportConformance('link over a unix socket', async (handle) => {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  const pair = await linkPair(handle, { kind: 'unix', path: join(folder, 's') })
  const close = async () => {
    await pair.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { ...pair, close }
})

transportConformance('link over TCP', (handle) => linkPair(handle, { kind: 'tcp', host: '127.0.0.1', port: 0 }))

transportConformance(
  'HTTP',
  async (handle) => {
    const spec = gateway({ routes: [expose(probe)] })
    const edge = await createGateway(spec, {
      send: handle,
      clock: systemClock,
      log: quiet,
      metrics: createMetrics(),
      readiness: () => ({ ready: true }) as never,
      info: { title: 'probe', version: '1.0.0' },
    })
    const server = await serve({ handler: edge.handler, host: '127.0.0.1', port: 0 })
    const client = createHttpClient({})
    const transport = httpTransport({
      contract: probe,
      url: `http://127.0.0.1:${server.port}`,
      client,
      clock: systemClock,
    })
    const close = async () => {
      await client.close()
      await server.close()
    }
    return { transport, close }
  },
  { carriesCaller: false },
)

import { createGateway } from '../../trestle/src/gateway/create-gateway.ts'
import type { GatewaySpec } from '../../trestle/src/gateway/index.ts'
import { serve } from '../../trestle/src/http/serve.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'
import { createMetrics } from '../../trestle/src/telemetry/metrics.ts'

/** Runs a gateway that the guide shows, with no services behind it. */
export async function serveEdge(edge: GatewaySpec) {
  const gateway = await createGateway(edge, {
    send: () => Promise.reject(new Error('there are no services')),
    clock: systemClock,
    log: { info() {}, warn() {}, error() {} },
    metrics: createMetrics(),
    readiness: () => ({ ready: true, services: [] }),
    info: { title: 'Guide', version: '1.0.0' },
  })
  const server = await serve({ host: '127.0.0.1', port: 0, handler: gateway.handler, onRefusal: gateway.onRefusal })
  return {
    url: `http://127.0.0.1:${server.port}`,
    openapi: () => gateway.openapi(),
    async close() {
      await server.close()
      await gateway.close()
    },
  }
}

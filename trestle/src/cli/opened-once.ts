import type { RouteReport } from '../call/gateway-report.ts'
import { createGateway } from '../gateway/create-gateway.ts'
import { documentInfo, type GatewaySpec } from '../gateway/gateway.ts'
import { type HttpClient, HttpError } from '../http/index.ts'
import { systemClock } from '../std/clock.ts'
import { gatewayReport } from '../system/host/gateway-report.ts'
import { createMetrics } from '../telemetry/index.ts'

/**
 * Opens a gateway as its description says, and closes it again: what only a gateway as a whole can tell. Listens nowhere and
 * reaches nobody.
 * @throws TypeError for two routes in one place and the like
 */
export async function openedOnce(spec: GatewaySpec, name: string): Promise<readonly RouteReport[]> {
  const gateway = await createGateway(spec, {
    send: () => Promise.reject(new Error('nobody is called')),
    http: nobody,
    clock: systemClock,
    log: { info() {}, warn() {}, error() {} },
    metrics: createMetrics(),
    readiness: () => ({ ready: true, services: [] }),
    info: documentInfo(spec, name),
  })
  const { routes } = gatewayReport('', gateway, [])
  await gateway.close()
  return routes
}

const nobody: HttpClient = {
  request: () => Promise.reject(new HttpError('connect_failed', 'nobody is connected to')),
  close: () => Promise.resolve(),
}

import { resolve } from 'node:path'
import { GatewayConfigError } from '../gateway/config/config-fault.ts'
import { createGateway } from '../gateway/create-gateway.ts'
import { documentInfo, type GatewaySpec } from '../gateway/gateway.ts'
import { type HttpClient, HttpError } from '../http/index.ts'
import { systemClock } from '../std/clock.ts'
import { createMetrics } from '../telemetry/index.ts'
import { exitCodes } from './exit-codes.ts'
import { Finished } from './finished.ts'
import { loadGatewaySystem, shownPath } from './gateway-system.ts'
import type { CliIo } from './io.ts'

/** Says whether the file of a gateway can be used. Listens nowhere and connects to nobody. @throws Finished with 1 when it cannot */
export async function checkGateway(io: CliIo, path: string, { json }: { readonly json: boolean }): Promise<void> {
  const file = resolve(io.cwd, path)
  const shown = shownPath(io.cwd, file)
  try {
    const { config } = loadGatewaySystem(file, io.env, io.cwd)
    const { routes, upstreams } = await openedOnce(config.spec, config.name)
    if (json)
      return io.out(`${JSON.stringify({ file: shown, ok: true, routes, upstreams, faults: [] }, undefined, 2)}\n`)
    io.out(`${io.colors.green('ok')} ${shown}: ${routes} routes, ${upstreams} to upstreams\n`)
  } catch (error) {
    if (!(error instanceof GatewayConfigError || error instanceof TypeError)) throw error
    const faults = error instanceof GatewayConfigError ? error.faults : []
    const { message } = error
    if (json) io.out(`${JSON.stringify({ file: shown, ok: false, message, faults }, undefined, 2)}\n`)
    else io.err(`${message}\n${faults.length > 1 ? `${faults.length} faults in ${shown}\n` : ''}`)
    throw new Finished(exitCodes.failed)
  }
}

/** What only a gateway as a whole can tell, two routes in one place for example. */
async function openedOnce(spec: GatewaySpec, name: string) {
  const gateway = await createGateway(spec, {
    send: () => Promise.reject(new Error('a check calls nobody')),
    http: nobody,
    clock: systemClock,
    log: { info() {}, warn() {}, error() {} },
    metrics: createMetrics(),
    readiness: () => ({ ready: true, services: [] }),
    info: documentInfo(spec, name),
  })
  const routes = gateway.routes().filter(({ target }) => target !== 'page')
  const upstreams = routes.filter(({ target }) => target === 'upstream')
  await gateway.close()
  return { routes: routes.length, upstreams: upstreams.length }
}

const nobody: HttpClient = {
  request: () => Promise.reject(new HttpError('connect_failed', 'a check connects to nobody')),
  close: () => Promise.resolve(),
}

import { resolve } from 'node:path'
import { GatewayConfigError } from '../gateway/config/config-fault.ts'
import { exitCodes } from './exit-codes.ts'
import { Finished } from './finished.ts'
import { loadGatewaySystem, refusedBy, shownPath } from './gateway-system.ts'
import type { CliIo } from './io.ts'
import { openedOnce } from './opened-once.ts'

/** Says whether the file of a gateway can be used. Listens nowhere and connects to nobody. @throws Finished with 1 when it cannot */
export async function checkGateway(io: CliIo, path: string, { json }: { readonly json: boolean }): Promise<void> {
  const file = resolve(io.cwd, path)
  const shown = shownPath(io.cwd, file)
  try {
    const { config } = loadGatewaySystem(file, io.env, io.cwd)
    const all = await openedOnce(config.spec, config.name).catch((error: unknown) => refusedBy(error, shown, config))
    const routes = all.length
    const upstreams = all.filter(({ kind }) => kind === 'upstream').length
    if (json)
      return io.out(`${JSON.stringify({ file: shown, ok: true, routes, upstreams, faults: [] }, undefined, 2)}\n`)
    io.out(
      `${io.colors.green('ok')} ${shown}: ${routes} ${routes === 1 ? 'route' : 'routes'}, ${upstreams} to upstreams\n`,
    )
  } catch (error) {
    if (!(error instanceof GatewayConfigError)) throw error
    const { message, faults } = error
    if (json) io.out(`${JSON.stringify({ file: shown, ok: false, message, faults }, undefined, 2)}\n`)
    else io.err(`${message}\n${faults.length > 1 ? `${faults.length} faults in ${shown}\n` : ''}`)
    throw new Finished(exitCodes.failed)
  }
}

import { relative } from 'node:path'
import { GatewayConfigError } from '../gateway/config/config-fault.ts'
import { type LoadedConfig, loadConfig } from '../gateway/config/load-config.ts'
import { oneProcess, StartError, type System, system } from '../system/index.ts'

/** A gateway's file, and the system that it is by itself. */
export interface GatewaySystem {
  readonly config: LoadedConfig
  readonly system: System
}

/** @throws GatewayConfigError with everything that is wrong with the file */
export function loadGatewaySystem(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd = process.cwd(),
): GatewaySystem {
  const config = loadConfig(file, { env, shownAs: shownPath(cwd, file) })
  const { name, spec } = config
  return { config, system: system(name, { services: [], gateway: spec, topologies: { alone: oneProcess() } }) }
}

/**
 * What a gateway as a whole refuses when it is opened, as a fault of its file; anything else as it is.
 * @throws GatewayConfigError
 */
export function refusedBy(error: unknown, shown: string, { redact }: Pick<LoadedConfig, 'redact'>): never {
  const refused = error instanceof StartError ? error.cause : error
  if (!(refused instanceof TypeError)) throw error
  throw new GatewayConfigError('config_invalid', redact(`${shown}: ${refused.message}`), { cause: error })
}

/** As a person at this folder would write it. */
export function shownPath(cwd: string, file: string): string {
  const path = relative(cwd, file)
  return path.startsWith('..') ? file : path
}

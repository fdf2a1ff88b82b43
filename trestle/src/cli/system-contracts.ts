import { pathToFileURL } from 'node:url'
import type { AnyContract } from '../contract/contract.ts'
import type { ExposedOperation } from '../gateway/index.ts'
import { isGatewayFile } from './find-system.ts'
import { loadSystem } from '../system/load-system.ts'
import type { System } from '../system/system.ts'

/** The system that a file defines; no service is loaded. @throws StartError `system_invalid` */
export async function systemOf(file: string): Promise<System> {
  if (!isGatewayFile(file)) return loadSystem(pathToFileURL(file))
  const { loadGatewaySystem } = await import('./gateway-system.ts')
  return loadGatewaySystem(file, process.env).system
}

/** The contracts of a system, those of its external services too. */
export function contractsOf(system: System): readonly AnyContract[] {
  return [...system.services.flatMap((one) => one.contracts), ...system.externals.map((one) => one.contract)]
}

/** The operations that a system's gateway exposes, in the order in which they are written. */
export function exposedBy(system: System): readonly ExposedOperation[] {
  return system.gateway.routes.flatMap((route) => (route.kind === 'expose' ? route.operations : []))
}

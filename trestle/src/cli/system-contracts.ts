import { pathToFileURL } from 'node:url'
import type { AnyContract } from '../contract/contract.ts'
import { loadSystem } from '../system/load-system.ts'

/** The contracts of a system, those of its external services too. Loads no service. */
export async function contractsOf(file: string): Promise<readonly AnyContract[]> {
  const system = await loadSystem(pathToFileURL(file))
  return [...system.services.flatMap((one) => one.contracts), ...system.externals.map((one) => one.contract)]
}

import { dirname } from 'node:path/posix'
import type { ModuleImport } from './imports-of.ts'

/** The folders of services among files: those that hold a `service.ts`. */
export function serviceFolders(files: readonly string[]): ReadonlySet<string> {
  return new Set(files.filter((file) => file.endsWith('/service.ts')).map((file) => dirname(file)))
}

/**
 * Why an import crosses a border between services; `undefined`: it does not. Of another service a service may import the
 * contract only. What stands beside the services (the system itself, its tour) may know them all, and so may tests.
 */
export function systemFault({ from, to, line }: ModuleImport, services: ReadonlySet<string>): string | undefined {
  if (to === undefined) return undefined
  const place = `${from}:${line}`
  const system = systemOf(from)
  if (systemOf(to) === undefined) return `${place}: imports ${to}; a system imports Trestle by its package entries`
  if (systemOf(to) !== system) return `${place}: imports ${to}, of another system`
  const own = serviceOf(from, services)
  const other = serviceOf(to, services)
  if (own === undefined || other === undefined || own === other) return undefined
  if (/\.test(-d)?\.ts$/.test(from) || to === `${other}/contract.ts`) return undefined
  return `${place}: imports ${to}; of another service only its contract.ts is public`
}

function systemOf(path: string): string | undefined {
  const [top, system] = path.split('/')
  return top === 'systems' ? system : undefined
}

function serviceOf(path: string, services: ReadonlySet<string>): string | undefined {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) if (services.has(folder)) return folder
  return undefined
}

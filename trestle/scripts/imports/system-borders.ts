import type { ModuleImport } from './imports-of.ts'

/**
 * Why an import crosses a border between services; `undefined`: it does not. A service is a folder of a system; of
 * another service it may import the contract only. What stands beside the services (the system itself, its tour, its
 * tests) may know them all.
 */
export function systemFault({ from, to, line }: ModuleImport): string | undefined {
  if (to === undefined) return undefined
  const place = `${from}:${line}`
  const own = partOf(from)
  const other = partOf(to)
  if (other === undefined) return `${place}: imports ${to}; a system imports Trestle by its package entries`
  if (own?.system !== other.system) return `${place}: imports ${to}, of another system`
  if (own.service === undefined || other.service === undefined || own.service === other.service) return undefined
  if (/\.test(-d)?\.ts$/.test(from) || /^contract[^/]*\.ts$/.test(other.file)) return undefined
  return `${place}: the service ${own.service} imports ${other.file} of ${other.service}; only its contract is public`
}

/** Folders of a system that are no service. */
const besides = new Set(['tour', 'tests', 'test', 'faults'])

function partOf(path: string) {
  const [top, system, ...rest] = path.split('/')
  if (top !== 'systems' || system === undefined || rest.length === 0) return undefined
  const [folder = ''] = rest
  const service = rest.length > 1 && !besides.has(folder) ? folder : undefined
  return { system, service, file: service === undefined ? rest.join('/') : rest.slice(1).join('/') }
}

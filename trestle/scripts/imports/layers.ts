import type { ModuleImport } from './imports-of.ts'

/** The layer of each folder of `trestle/src`. */
const layers: Readonly<Record<string, number>> = {
  std: 0,
  supervisor: 0,
  contract: 0,
  http: 1,
  telemetry: 1,
  call: 1,
  store: 1,
  transport: 2,
  bus: 2,
  registry: 2,
  service: 3,
  saga: 3,
  gateway: 3,
  access: 4,
  system: 5,
  admin: 5,
  cli: 6,
  testing: 6,
}

/** Folders whose subfolders are units of their own: adapters of one interface do not know each other. */
const familyFolders = new Set(['transport', 'bus'])

/** Packages that one folder alone may import. */
const reserved: Readonly<Record<string, string>> = {
  'node:http': 'http',
  'node:https': 'http',
  'node:http2': 'http',
  undici: 'http',
  pg: 'store',
  commander: 'cli',
}

/**
 * Why an import breaks the layer rule; `undefined`: it does not. Imports go strictly downward, types too; `std` has no
 * word of the domain and lies below its neighbours of layer 0. Tests may import what they test with.
 */
export function layerFault({ from, specifier, to, line }: ModuleImport): string | undefined {
  if (isTest(from)) return undefined
  const place = `${from}:${line}`
  const own = unitOf(from)
  const ownLayer = layers[own.folder]
  if (ownLayer === undefined) return `${place}: the folder ${own.folder} has no layer`
  if (to === undefined) return reservedFault(place, own.folder, specifier)
  if (!to.startsWith('trestle/src/')) return `${place}: imports ${to}, which is not part of the package`
  const other = unitOf(to)
  const otherLayer = layers[other.folder]
  if (otherLayer === undefined) return `${place}: the folder ${other.folder} has no layer`
  if (isTest(to)) return `${place}: imports a test, ${to}`
  if (own.unit === other.unit || other.folder === 'std' || otherLayer < ownLayer) return undefined
  return `${place}: ${own.unit} (layer ${ownLayer}) imports ${other.unit} (layer ${otherLayer})`
}

function reservedFault(place: string, folder: string, specifier: string): string | undefined {
  const owner = reserved[specifier]
  return owner === undefined || owner === folder ? undefined : `${place}: only ${owner}/ imports ${specifier}`
}

/** Tests, type tests and what stands in `fixtures/`. */
function isTest(file: string): boolean {
  return /\.test(-d)?\.ts$/.test(file) || file.includes('/fixtures/')
}

function unitOf(file: string): { readonly folder: string; readonly unit: string } {
  const [, , folder = '', inner = ''] = file.split('/')
  const unit = familyFolders.has(folder) && !inner.endsWith('.ts') ? `${folder}/${inner}` : folder
  return { folder, unit }
}

import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { importsOf, type ModuleImport } from './trestle/scripts/imports/imports-of.ts'
import { layerFault } from './trestle/scripts/imports/layers.ts'
import { serviceFolders, systemFault } from './trestle/scripts/imports/system-borders.ts'

const root = fileURLToPath(new URL('./', import.meta.url))

async function importsUnder(folder: string): Promise<{ files: readonly string[]; imports: readonly ModuleImport[] }> {
  const found = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  const lists = await Promise.all(files.map((file) => importsOf(root, file)))
  return { files, imports: lists.flat() }
}

function layered(from: string, to: string): string | undefined {
  return layerFault({ from, specifier: 'x', to, line: 1 })
}

function layeredPackage(from: string, specifier: string): string | undefined {
  return layerFault({ from, specifier, to: undefined, line: 1 })
}

function bordered(from: string, to: string): string | undefined {
  const services = new Set(['systems/store/orders', 'systems/store/carts', 'systems/geo/lookup'])
  return systemFault({ from, specifier: 'x', to, line: 1 }, services)
}

describe('the layers of trestle/src', async () => {
  const { files, imports } = await importsUnder('trestle/src')

  it('are looked at file by file', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(imports.length).toBeGreaterThan(300)
    const folders = new Set(files.map((file) => file.split('/')[2]))
    for (const folder of ['std', 'contract', 'call', 'service', 'gateway', 'system', 'cli']) {
      expect(folders).toContain(folder)
    }
  })

  it('import downward only', () => {
    expect(imports.flatMap((one) => layerFault(one) ?? [])).toEqual([])
  })
})

describe('the services of a system', async () => {
  const { files, imports } = await importsUnder('systems')
  const services = serviceFolders(files)

  it('are looked at file by file', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(imports.length).toBeGreaterThan(50)
    expect(services.size).toBeGreaterThanOrEqual(5)
  })

  it("know of each other nothing but their contracts, and of Trestle nothing but the package's entries", () => {
    expect(imports.flatMap((one) => systemFault(one, services) ?? [])).toEqual([])
  })
})

describe('the layer rule', () => {
  it('refuses an import of a higher layer', () => {
    expect(layered('trestle/src/contract/a.ts', 'trestle/src/call/call.ts')).toMatch(/contract.*call/)
    expect(layered('trestle/src/service/a.ts', 'trestle/src/system/b.ts')).toBeDefined()
  })

  it('refuses an import of a folder of the same layer', () => {
    expect(layered('trestle/src/call/a.ts', 'trestle/src/http/b.ts')).toBeDefined()
    expect(layered('trestle/src/transport/link/a.ts', 'trestle/src/transport/local/b.ts')).toBeDefined()
  })

  it('refuses a folder that has no layer', () => {
    expect(layered('trestle/src/utils/a.ts', 'trestle/src/std/b.ts')).toMatch(/no layer/)
  })

  it('refuses node:http and undici outside the HTTP engine', () => {
    expect(layeredPackage('trestle/src/gateway/a.ts', 'node:http')).toBeDefined()
    expect(layeredPackage('trestle/src/gateway/a.ts', 'undici')).toBeDefined()
    expect(layeredPackage('trestle/src/http/a.ts', 'undici')).toBeUndefined()
  })

  it('lets a layer import itself and what is below', () => {
    expect(layered('trestle/src/cli/a.ts', 'trestle/src/std/b.ts')).toBeUndefined()
    expect(layered('trestle/src/call/a.ts', 'trestle/src/call/b.ts')).toBeUndefined()
    expect(layered('trestle/src/contract/a.ts', 'trestle/src/std/b.ts')).toBeUndefined()
  })
})

describe('the border between services', () => {
  it("lets a service import another's contract and refuses everything else of it", () => {
    expect(bordered('systems/store/orders/service.ts', 'systems/store/carts/contract.ts')).toBeUndefined()
    expect(bordered('systems/store/orders/service.ts', 'systems/store/carts/tables.ts')).toBeDefined()
    expect(bordered('systems/store/orders/pages/list.ts', 'systems/store/carts/contract.ts')).toBeUndefined()
    expect(bordered('systems/store/orders/pages/list.ts', 'systems/store/carts/service.ts')).toBeDefined()
    expect(bordered('systems/store/orders/service.ts', 'systems/geo/lookup/contract.ts')).toBeDefined()
    expect(bordered('systems/store/orders/service.ts', 'systems/store/money.ts')).toBeUndefined()
  })

  it('refuses the inside of the platform', () => {
    expect(bordered('systems/store/orders/service.ts', 'trestle/src/call/call.ts')).toBeDefined()
  })
})

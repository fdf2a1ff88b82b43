import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

/** One import, re-export, dynamic import or import type of one module. */
export interface ModuleImport {
  /** The importing file, from the root of the repository, with `/`. */
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** The imported file, from the root of the repository; `undefined` for a package. */
  readonly to: string | undefined
  readonly line: number
}

/**
 * The imports of a TypeScript file, types included.
 * @throws Error when the file does not parse or imports a file that is not there
 */
export async function importsOf(root: string, file: string): Promise<readonly ModuleImport[]> {
  const text = await readFile(join(root, file), 'utf8')
  const { errors, module, program } = parseSync(file, text)
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
  const found: { readonly specifier: string; readonly at: number }[] = []
  const add = (request: { readonly value: string; readonly start: number }) =>
    found.push({ specifier: request.value, at: request.start })
  for (const one of module.staticImports) add(one.moduleRequest)
  for (const one of module.staticExports) {
    const request = one.entries[0]?.moduleRequest
    if (request) add(request)
  }
  new Visitor({
    ImportExpression: ({ source }) => {
      if (source.type === 'Literal' && typeof source.value === 'string')
        add({ value: source.value, start: source.start })
    },
    TSImportType: ({ source }) => add(source),
  }).visit(program)
  return found.map(({ specifier, at }) => ({
    from: file,
    specifier,
    to: target(root, file, specifier),
    line: text.slice(0, at).split('\n').length,
  }))
}

function target(root: string, file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const to = posix.join(dirname(file), specifier)
  if (!existsSync(join(root, to))) throw new Error(`${file} imports ${specifier}, which is not there`)
  return to
}

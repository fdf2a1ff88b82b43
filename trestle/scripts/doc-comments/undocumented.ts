import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type ExportNamedDeclaration, type ParseResult, parseSync } from 'oxc-parser'

export interface PublicExport {
  readonly name: string
  /** Where it is declared, relative to the folder of the entry files. */
  readonly file: string
  readonly documented: boolean
}

/** What an entry file exports from this code base, and whether a doc comment stands right before its declaration. */
export function publicExports(root: string, entry: string): readonly PublicExport[] {
  const named = parse(entry).program.body.filter((node) => node.type === 'ExportNamedDeclaration')
  return named.flatMap((node) => {
    const from = node.source?.value
    if (from?.startsWith('.') !== true) return []
    const file = join(dirname(entry), from)
    const names = new Set(node.specifiers.map(({ local }) => (local.type === 'Literal' ? local.value : local.name)))
    const declared = [...names].filter((name) => declarationOf(file, name) !== undefined)
    const passedOn = publicExports(root, file).filter(({ name }) => names.has(name))
    if (declared.length + passedOn.length < names.size) throw new Error(`${file} lacks some of ${[...names].join()}`)
    return [
      ...declared.map((name) => ({ name, file: relative(root, file), documented: isDocumented(file, name) })),
      ...passedOn,
    ]
  })
}

function isDocumented(file: string, name: string): boolean {
  const { comments } = parse(file)
  const text = readFileSync(file, 'utf8')
  const declaration = declarationOf(file, name)
  if (declaration === undefined) return false
  return comments.some(
    ({ type, value, start, end }) =>
      type === 'Block' &&
      value.startsWith('*') &&
      start < declaration.start &&
      /^\s*(\/\/ oxlint-disable.*\n)?$/.test(text.slice(end, declaration.start)),
  )
}

/** Of an overloaded function the first signature. */
function declarationOf(file: string, name: string): ExportNamedDeclaration | undefined {
  return parse(file)
    .program.body.filter((node) => node.type === 'ExportNamedDeclaration')
    .find((node) => declaredNames(node).includes(name))
}

function declaredNames({ declaration }: ExportNamedDeclaration): readonly string[] {
  if (declaration === null) return []
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
  return 'id' in declaration && declaration.id !== null && 'name' in declaration.id ? [declaration.id.name] : []
}

function parse(file: string): ParseResult {
  return parseSync(file, readFileSync(file, 'utf8'))
}

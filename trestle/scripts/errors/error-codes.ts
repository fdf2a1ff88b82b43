import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Class, parseSync, type TSType, Visitor } from 'oxc-parser'

/** A class of errors that are identified by `code`, and the codes that its type allows. */
export interface CodedError {
  readonly name: string
  readonly file: string
  readonly codes: readonly string[]
}

/** What the types of all files say about codes: classes with their `code`, and what the named types stand for. */
interface Found {
  readonly classes: { readonly name: string; readonly file: string; readonly code: CodeType }[]
  readonly aliases: Map<string, CodeType>
  readonly tables: Map<string, readonly string[]>
}

type CodeType =
  | { readonly kind: 'codes'; readonly codes: readonly string[] }
  | { readonly kind: 'alias' | 'table'; readonly name: string }
  | { readonly kind: 'open' }

/**
 * The coded errors that TypeScript files declare: classes that extend `Error` and whose `code` is a closed set of
 * literals, written in place, as a named union, or as `keyof typeof` a table. A `code` of type `string` is not closed.
 */
export async function errorCodes(root: string, files: readonly string[]): Promise<readonly CodedError[]> {
  const found: Found = { classes: [], aliases: new Map(), tables: new Map() }
  for (const file of files) collect(file, await readFile(join(root, file), 'utf8'), found)
  return found.classes.flatMap(({ name, file, code }) => {
    const codes = resolve(code, found)
    return codes === undefined ? [] : [{ name, file, codes }]
  })
}

function collect(file: string, text: string, found: Found): void {
  new Visitor({
    ClassDeclaration: (node) => {
      const code = codeOf(node)
      if (node.id !== null && code !== undefined) found.classes.push({ name: node.id.name, file, code })
    },
    TSTypeAliasDeclaration: ({ id, typeAnnotation }) => {
      found.aliases.set(id.name, codeType(typeAnnotation))
    },
    VariableDeclarator: ({ id, init }) => {
      let value = init
      while (value?.type === 'TSAsExpression' || value?.type === 'TSSatisfiesExpression') value = value.expression
      if (id.type !== 'Identifier' || value?.type !== 'ObjectExpression') return
      const keys = value.properties.flatMap((one) =>
        one.type === 'Property' && one.key.type === 'Identifier' ? [one.key.name] : [],
      )
      found.tables.set(id.name, keys)
    },
  }).visit(parseSync(file, text).program)
}

function codeOf({ superClass, body }: Class): CodeType | undefined {
  if (superClass?.type !== 'Identifier' || superClass.name !== 'Error') return undefined
  for (const member of body.body) {
    if (member.type !== 'PropertyDefinition' || member.key.type !== 'Identifier' || member.key.name !== 'code') continue
    if (member.typeAnnotation) return codeType(member.typeAnnotation.typeAnnotation)
    if (member.value?.type === 'Literal') return { kind: 'codes', codes: [String(member.value.value)] }
  }
  return undefined
}

function codeType(type: TSType): CodeType {
  if (type.type === 'TSTypeReference' && type.typeName.type === 'Identifier') {
    return { kind: 'alias', name: type.typeName.name }
  }
  if (type.type === 'TSTypeOperator' && type.operator === 'keyof' && type.typeAnnotation.type === 'TSTypeQuery') {
    const { exprName } = type.typeAnnotation
    return exprName.type === 'Identifier' ? { kind: 'table', name: exprName.name } : { kind: 'open' }
  }
  const members = type.type === 'TSUnionType' ? type.types : [type]
  const codes = members.map((one) =>
    one.type === 'TSLiteralType' && one.literal.type === 'Literal' ? String(one.literal.value) : undefined,
  )
  const closed = codes.filter((code) => code !== undefined)
  return closed.length === codes.length ? { kind: 'codes', codes: closed } : { kind: 'open' }
}

function resolve(code: CodeType, found: Found): readonly string[] | undefined {
  if (code.kind === 'codes') return code.codes
  if (code.kind === 'table') return found.tables.get(code.name)
  const meant = code.kind === 'alias' ? found.aliases.get(code.name) : undefined
  return meant === undefined ? undefined : resolve(meant, found)
}

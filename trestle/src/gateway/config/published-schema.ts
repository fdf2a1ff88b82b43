import { z } from 'zod'
import { gatewayFile } from './gateway-schema.ts'

export interface SchemaNode {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly [keyword: string]: unknown
}

const dialect = 'http://json-schema.org/draft-07/schema#'
const reference = { type: 'string', pattern: '^\\$\\{(env|file):[^{}]+\\}$' }
/** Keywords of a text that a `${env:NAME}` would not satisfy. */
const narrowing = ['pattern', 'format', 'enum', 'const', 'maxLength']

/** The JSON Schema of configuration files, for editors: every value may come from outside as well. */
export function publishedSchema(): SchemaNode {
  const made = z.toJSONSchema(gatewayFile, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => orReference(jsonSchema as Record<string, unknown>),
  })
  // Zod's type of a schema is wider than what it makes of ours.
  return { $schema: dialect, ...(made as SchemaNode) }
}

function orReference(schema: Record<string, unknown>): void {
  const { type, description } = schema
  const leaf = type === 'number' || type === 'integer' || type === 'boolean'
  const narrow = (type === 'string' || type === undefined) && narrowing.some((keyword) => keyword in schema)
  if (!leaf && !narrow) return
  const { description: _, ...own } = schema
  for (const keyword of Object.keys(own)) delete schema[keyword]
  schema['anyOf'] = [own, reference]
  if (description !== undefined) schema['description'] = description
}

/** The keys that are known at a path of a file. */
export function knownKeys(schema: SchemaNode, path: readonly (string | number)[]): readonly string[] {
  const places = path.reduce<readonly SchemaNode[]>(
    (nodes, step) => nodes.flatMap((node) => alternatives(node)).flatMap((node) => below(node, step)),
    [schema],
  )
  const found = places.flatMap((node) => alternatives(node)).flatMap((node) => Object.keys(node.properties ?? {}))
  return [...new Set(found)]
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap((each) => alternatives(each))
}

function below(node: SchemaNode, step: string | number): readonly SchemaNode[] {
  if (typeof step === 'number') return node.items === undefined ? [] : [node.items]
  const own = node.properties?.[step]
  if (own !== undefined) return [own]
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []
}

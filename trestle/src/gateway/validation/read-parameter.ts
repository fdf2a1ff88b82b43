import { asObjects, asText, isObject, type Json } from '../document/json.ts'
import { resolve } from '../document/references.ts'

/** How the text of a parameter is read. */
export interface ParameterReader {
  /** Text of a parameter, one for each time that it was sent -> the value that its schema is about. */
  readonly read: (texts: readonly string[]) => unknown
  /** It may be sent more than once; of any other nobody knows which one the upstream takes. */
  readonly repeats: boolean
}

const separators: Readonly<Record<string, string>> = { form: ',', simple: ',', spaceDelimited: ' ', pipeDelimited: '|' }

/**
 * How a parameter is written. Source: OpenAPI 3.1.1, parameter object: style and explode. Read are scalars and arrays of
 * them, and JSON (`content`); other forms (objects, `matrix`, `label`, `deepObject`) are passed on unseen.
 */
export function readerOf(parameter: Json, root: Json): ParameterReader | undefined {
  const where = parameter['in']
  if (isObject(parameter['content'])) return 'application/json' in parameter['content'] ? once(readJson) : undefined
  const style = asText(parameter['style']) ?? (where === 'query' || where === 'cookie' ? 'form' : 'simple')
  const schema = resolve(root, parameter['schema'], 'parameter')
  const types = typesOf(schema, root)
  if (types.has('object') || !(style in separators)) return undefined
  if (!types.has('array')) return once(([text = '']) => scalar(text, types))
  const itemTypes = typesOf(resolve(root, schema['items'], 'parameter'), root)
  if (itemTypes.has('array') || itemTypes.has('object')) return undefined
  const explode = parameter['explode'] ?? style === 'form'
  const separator = separators[style] as string
  if (explode === true && where === 'query') {
    return { read: (texts) => texts.map((text) => scalar(text, itemTypes)), repeats: true }
  }
  return once(([text = '']) => (text === '' ? [] : text.split(separator).map((item) => scalar(item, itemTypes))))
}

function once(read: ParameterReader['read']): ParameterReader {
  return { read, repeats: false }
}

function readJson([text = '']: readonly string[]): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** As for contracts: the first of number, boolean, null and string that the schema allows and that the text fits. */
function scalar(text: string, types: ReadonlySet<string>): unknown {
  if ((types.has('number') || types.has('integer')) && numberForm.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && !types.has('string') && text === 'null') return null
  return text
}

/** The JSON types that a schema speaks of; none: any. */
function typesOf(schema: Json, root: Json, depth = 0): ReadonlySet<string> {
  if (depth > 16) return new Set()
  const own = schema['type']
  const said = typeof own === 'string' ? [own] : Array.isArray(own) ? own.map(String) : []
  const values = [
    ...(Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : []),
    ...('const' in schema ? [schema['const']] : []),
  ]
  const inner = ['allOf', 'anyOf', 'oneOf'].flatMap((name) => asObjects(schema[name]))
  return new Set([
    ...said,
    ...(said.length === 0 ? values.map((value) => (value === null ? 'null' : typeof value)) : []),
    ...inner.flatMap((one) => [...typesOf(resolve(root, one, 'parameter'), root, depth + 1)]),
  ])
}

import { asObject, asObjects, asText, isObject, type Json, members } from './json.ts'
import { onlyComponents, resolve } from './references.ts'
import { upgradeSchema } from './upgrade-schema.ts'

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const

/** One operation of a foreign document, in the form of OpenAPI 3.1. */
export interface ForeignOperation {
  readonly method: string
  /** As in the document. */
  readonly path: string
  /** Of the path and of the operation, resolved. */
  readonly parameters: readonly Json[]
  /** Resolved. */
  readonly body: Json | undefined
  readonly operation: Json
}

/** A foreign document in the form of OpenAPI 3.1. */
export interface ForeignDocument {
  readonly components: Json
  readonly tags: readonly Json[]
  readonly operations: readonly ForeignOperation[]
}

/** Reads what a document says. @throws TypeError when it is of another version, or a reference leads outside or nowhere */
export function readOperations(given: Json, place: string): ForeignDocument {
  const version = asText(given['openapi']) ?? asText(given['swagger']) ?? 'none'
  if (!/^3\.[01]\.\d+/.test(version)) {
    throw new TypeError(
      `${place}: OpenAPI 3.0 or 3.1 is understood, not ${version}; convert it first (swagger2openapi)`,
    )
  }
  const document = onlyComponents(given, place)
  const upgraded = (version.startsWith('3.0') ? upgradeDocument(document) : document) as Json
  const operations = members(upgraded['paths']).flatMap(([path, item]) =>
    methods.flatMap((method) => (isObject(item[method]) ? [operationOf(upgraded, path, item, method, place)] : [])),
  )
  if (operations.length === 0) throw new TypeError(`${place}: it has no operations`)
  return { components: asObject(upgraded['components']), tags: asObjects(upgraded['tags']), operations }
}

function operationOf(document: Json, path: string, item: Json, method: string, place: string): ForeignOperation {
  const operation = asObject(item[method])
  const at = `${place}: ${method.toUpperCase()} ${path}`
  const all = [...asObjects(item['parameters']), ...asObjects(operation['parameters'])]
  const parameters = new Map(
    all.map((one) => {
      const parameter = resolve(document, one, at)
      return [`${asText(parameter['in'])} ${asText(parameter['name'])}`, parameter] as const
    }),
  )
  const body = operation['requestBody'] === undefined ? undefined : resolve(document, operation['requestBody'], at)
  return { method: method.toUpperCase(), path, parameters: [...parameters.values()], body, operation }
}

/** Every schema, wherever it stands: as member `schema`, and the named ones. */
function upgradeDocument(document: Json): Json {
  const components = asObject(document['components'])
  const schemas = Object.fromEntries(members(components['schemas']).map(([name, one]) => [name, upgradeSchema(one)]))
  return {
    ...(upgradeMembers({ ...document, components: { ...components, schemas: undefined } }) as Json),
    components: { ...(upgradeMembers({ ...components, schemas: undefined }) as Json), schemas },
  }
}

function upgradeMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(upgradeMembers)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === 'schema' ? upgradeSchema(inner) : upgradeMembers(inner),
    ]),
  )
}

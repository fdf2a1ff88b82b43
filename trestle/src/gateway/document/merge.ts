import type { Access } from '../../contract/access.ts'
import type { JsonSchema } from '../../contract/json-schema.ts'
import type { OpenApiDocument } from '../../contract/openapi/document.ts'
import { describeForeign, type Draft } from './describe-foreign.ts'
import { asObject, type Json, members } from './json.ts'
import type { ForeignDocument } from './foreign-operations.ts'
import { NewNames } from './new-names.ts'
import type { PublicOperation } from './public-operations.ts'

/** A foreign document as the gateway shows it. */
export interface ForeignPart {
  /** Put before names that are taken: `Legacy`. */
  readonly prefix: string
  /** The same for routes that have one document: its names are then given once. */
  readonly source: unknown
  readonly document: ForeignDocument
  readonly operations: readonly PublicOperation[]
  /** Of the route: what the foreign document says of credentials is between the gateway and the upstream. */
  readonly access: Access
}

/**
 * The gateway's document with the operations of foreign ones: at their public paths, with what they refer to, under names
 * that no other has. An operation whose address something else in the document has already is left out: that answers.
 */
export function withForeign(
  document: OpenApiDocument,
  parts: readonly ForeignPart[],
  securitySchemes: Readonly<Record<string, JsonSchema>>,
): OpenApiDocument {
  if (parts.length === 0) return document
  const draft: Draft = {
    paths: Object.fromEntries(Object.entries(document.paths).map(([path, item]) => [path, { ...item }])),
    components: Object.fromEntries(
      Object.entries(document.components).map(([name, one]) => [name, { ...asObject(one) }]),
    ),
    tags: [...document.tags],
    ids: new Set(
      Object.values(document.paths).flatMap((item) => Object.values(item).map((one) => asObject(one)['operationId'])),
    ),
    securityNames: Object.keys(securitySchemes),
  }
  if (parts.some(({ access }) => access.kind !== 'anyone'))
    draft.components['securitySchemes'] ??= { ...securitySchemes }
  const named = new Map<unknown, NewNames>()
  for (const part of parts) {
    const names = named.get(part.source) ?? new NewNames(draft.components, part.document.components, part.prefix)
    named.set(part.source, names)
    addPart(draft, part, names)
  }
  return { ...document, paths: draft.paths, components: withoutEmpty(draft.components), tags: draft.tags }
}

function addPart(draft: Draft, part: ForeignPart, names: NewNames): void {
  const { document } = part
  const templates = new Map(Object.keys(draft.paths).map((path) => [shape(path), path]))
  for (const shown of part.operations) {
    const method = shown.operation.method.toLowerCase()
    const path = templates.get(shape(shown.path)) ?? shown.path
    if (draft.paths[path]?.[method] !== undefined) continue
    templates.set(shape(path), path)
    const item = (draft.paths[path] ??= {})
    item[method] = names.renamed(describeForeign(shown, path, part, draft))
  }
  for (const tag of document.tags) if (!draft.tags.some(({ name }) => name === tag['name'])) draft.tags.push({ ...tag })
  names.addReached(draft.components)
}

const shape = (path: string) => path.replaceAll(/\{[^{}]*\}/g, '{}')

function withoutEmpty(components: Record<string, Json>): Record<string, JsonSchema> {
  return Object.fromEntries(members(components).filter(([, section]) => Object.keys(section).length > 0))
}

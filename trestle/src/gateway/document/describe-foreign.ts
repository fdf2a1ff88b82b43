import type { Access } from '../../contract/access.ts'
import type { JsonSchema } from '../../contract/json-schema.ts'
import { problemSchema } from '../../contract/openapi/problems.ts'
import { asObject, asText, isObject, type Json } from './json.ts'
import { gatewayProblem, unique, withoutLinks } from './new-names.ts'
import type { PublicOperation } from './public-operations.ts'

/** The gateway's document while it is put together. */
export interface Draft {
  readonly paths: Record<string, JsonSchema>
  readonly components: Record<string, Json>
  readonly tags: JsonSchema[]
  readonly ids: Set<unknown>
  readonly securityNames: readonly string[]
}

/** Of which part of the document an operation is. */
export interface Shown {
  readonly prefix: string
  readonly access: Access
}

/** A foreign operation as the gateway's: its security, an id that no other has, and what the gateway itself may answer. */
export function describeForeign(
  { operation, path: own }: PublicOperation,
  path: string,
  { access, prefix }: Shown,
  draft: Draft,
): Json {
  const { security: _own, servers: _servers, parameters: _parameters, ...rest } = operation.operation
  const { method } = operation
  const wanted = asText(rest['operationId']) ?? nameOf(method, own)
  const id = draft.ids.has(wanted) ? unique(`${prefix}.${wanted}`, draft.ids) : wanted
  draft.ids.add(id)
  const tagged = Array.isArray(rest['tags'])
  if (!tagged && !draft.tags.some(({ name }) => name === prefix)) {
    draft.tags.push({ name: prefix, description: `Operations of ${prefix}.` })
  }
  const parameters = parametersOf(operation.parameters, own, path)
  return {
    ...rest,
    ...(tagged ? {} : { tags: [prefix] }),
    summary: rest['summary'] ?? `${method} ${own}`,
    operationId: id,
    security: access.kind === 'anyone' ? [] : securityOf(access, draft),
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: responsesOf(asObject(rest['responses']), access, draft),
  }
}

function nameOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean)
  return method.toLowerCase() + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}

/** Those of the path under the names that the document has for its fields; those of the route's own pattern are added. */
function parametersOf(parameters: readonly Json[], own: string, path: string): readonly Json[] {
  const names = new Map(fieldsIn(own).map((name, at) => [name, fieldsIn(path)[at] ?? name]))
  const renamed = parameters.map((one) =>
    one['in'] === 'path' ? { ...one, name: names.get(String(one['name'])) ?? one['name'], required: true } : one,
  )
  const said = new Set(renamed.filter((one) => one['in'] === 'path').map((one) => one['name']))
  const missing = fieldsIn(path).filter((name) => !said.has(name))
  return [...renamed, ...missing.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))]
}

function securityOf(access: Access, draft: Draft): readonly Json[] {
  const scopes = access.kind === 'scopes' ? access.scopes : []
  return draft.securityNames.map((name) => ({ [name]: scopes }))
}

/** What the gateway itself may answer, where the document says nothing of that status. */
function responsesOf(own: Json, access: Access, { components }: Draft): Json {
  const schemas = (components['schemas'] ??= {})
  schemas['Problem'] ??= problemSchema
  const responses = (components['responses'] ??= {})
  responses['GatewayProblem'] ??= {
    description: 'The gateway answered by itself: it refused the request, or had no valid answer to give.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  const statuses = [400, ...(access.kind === 'anyone' ? [] : [401, 403]), 429, 502, 503, 504].map(String)
  const ours = statuses.filter((status) => !(status in own) && !(`${status[0]}XX` in own))
  const described = Object.fromEntries(
    Object.entries(own).map(([status, one]) => [status, isObject(one) ? withoutLinks(one) : one]),
  )
  // The name is not renamed: it is the gateway's.
  return { ...described, ...Object.fromEntries(ours.map((status) => [status, { $ref: gatewayProblem }])) }
}

function fieldsIn(template: string): readonly string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name as string)
}

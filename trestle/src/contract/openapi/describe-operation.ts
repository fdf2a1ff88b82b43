import type { z } from 'zod'
import { type Binding, type BoundField, bindingOf, templateFields } from '../binding.ts'
import { bytesContentTypes } from '../bytes.ts'
import { clientAddressHeader } from '../client-address.ts'
import type { Bound } from '../contract.ts'
import type { JsonSchema } from '../json-schema.ts'
import type { AnyOperation } from '../operation.ts'
import { wireSchema } from '../wire-schema.ts'
import { mayBeMissing } from '../zod-def.ts'
import { type Components, pascal } from './components.ts'
import { problemResponses } from './problems.ts'

type Op = Bound<AnyOperation, string>

export interface Shared {
  readonly components: Components
  readonly responses: Record<string, JsonSchema>
  readonly securityNames: readonly string[]
  readonly needs: Set<'idempotency-key' | 'deprecation'>
}

/** What a reply says besides what its operation does. */
export interface ReplyNotes {
  /** Fields of the output whose schemas are another contract's, by its id: they share that one's components. */
  readonly origins: Readonly<Record<string, string>>
  /** Header objects of the success reply, by name. */
  readonly headers: Readonly<Record<string, JsonSchema>>
}

/** One operation as an OpenAPI operation object. `path` is its public template; its fields match by position. */
export function describeOperation(
  operation: Op,
  path: string,
  operationId: string,
  shared: Shared,
  notes: ReplyNotes = { origins: {}, headers: {} },
): JsonSchema {
  const binding = bindingOf(operation)
  const parameters = parametersOf(operation, binding, path, shared)
  const body = requestBody(operation, binding, shared)
  return {
    operationId,
    summary: operation.summary ?? titled(operation.name),
    ...(operation.description === undefined && operation.deprecated === undefined
      ? {}
      : { description: descriptionOf(operation) }),
    tags: operation.tags.length > 0 ? operation.tags : [operation.contract.name],
    ...(operation.deprecated === undefined ? {} : { deprecated: true }),
    ...(operation.deprecated?.sunset === undefined ? {} : { 'x-sunset': operation.deprecated.sunset }),
    'x-trestle-operation': `${operation.contract.id}.${operation.name}`,
    'x-trestle-idempotent': operation.idempotent,
    security: securityOf(operation, shared.securityNames),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      ...successResponses(operation, shared, notes),
      ...problemResponses(operation, shared.components, shared.responses),
    },
  }
}

function titled(name: string): string {
  const words = name.replaceAll(/([A-Z])/g, ' $1').toLowerCase()
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

function descriptionOf({ description, deprecated }: Op): string {
  const sentences = [
    ...(description === undefined ? [] : [description]),
    ...(deprecated === undefined ? [] : [`Deprecated since ${deprecated.on}.`]),
    ...(deprecated?.sunset === undefined ? [] : [`Withdrawn on ${deprecated.sunset}.`]),
    ...(deprecated?.use === undefined ? [] : [`Use ${deprecated.use} instead.`]),
  ]
  return sentences.join(' ')
}

function securityOf({ access }: Op, names: readonly string[]): readonly JsonSchema[] {
  if (access === undefined || access.kind === 'anyone') return []
  const scopes = access.kind === 'scopes' ? access.scopes : []
  return names.map((name) => ({ [name]: scopes }))
}

function examplesOf(operation: Op, pick: (input: Record<string, unknown>) => unknown): JsonSchema {
  const named = operation.examples.flatMap((example, index) => {
    if (example.input === undefined) return []
    const wire = wireSchema(operation.input).wire(example.input)
    const value = wire.ok ? pick(wire.value as Record<string, unknown>) : undefined
    if (value === undefined) return []
    return [
      [
        `example${index + 1}`,
        { ...(example.summary === undefined ? {} : { summary: example.summary }), value },
      ] as const,
    ]
  })
  return named.length === 0 ? {} : { examples: Object.fromEntries(named) }
}

const placeInOpenApi = { path: 'path', query: 'query', header: 'header' } as const
// Source: OpenAPI 3.1.1, parameter object: header parameters of these names are ignored. The last one no client sends.
const ignoredHeaders = new Set(['accept', 'content-type', 'authorization', clientAddressHeader])

function parametersOf(operation: Op, binding: Binding, path: string, shared: Shared): readonly JsonSchema[] {
  const publicNames = new Map(
    templateFields(operation.rest?.path ?? '').map((name, index) => [name, templateFields(path)[index] ?? name]),
  )
  const fields = binding.fields.filter(({ place, header }) => place !== 'body' && !ignoredHeaders.has(header ?? ''))
  const parameters = fields.map((field) => parameterOf(operation, field, publicNames.get(field.name), shared))
  if (operation.idempotent !== 'key') return parameters
  shared.needs.add('idempotency-key')
  return [...parameters, { $ref: '#/components/parameters/IdempotencyKey' }]
}

function parameterOf(operation: Op, field: BoundField, publicName: string | undefined, shared: Shared): JsonSchema {
  const where = `${pascal(operation.contract.name)}${pascal(operation.name)}${pascal(field.name)}`
  const { description, ...schema } = shared.components.schemaOf(field.schema, 'request', operation.contract.id, where)
  return {
    name: publicName ?? field.header ?? field.name,
    in: placeInOpenApi[field.place as 'path' | 'query' | 'header'],
    ...(description === undefined ? {} : { description }),
    required: field.place === 'path' || !mayBeMissing(field.schema),
    schema,
    ...examplesOf(operation, (input) => input[field.name]),
  }
}

function requestBody(operation: Op, binding: Binding, shared: Shared): JsonSchema | undefined {
  const fields = binding.fields.filter(({ place }) => place === 'body')
  if (binding.body === 'none' || fields.length === 0) return undefined
  const required = fields.some(({ schema }) => !mayBeMissing(schema))
  if (binding.body === 'bytes') {
    const types = binding.contentTypes.length === 0 ? ['application/octet-stream'] : binding.contentTypes
    return { required, content: Object.fromEntries(types.map((type) => [type, { schema: {} }])) }
  }
  const where = `${pascal(operation.contract.name)}${pascal(operation.name)}Input`
  const only = binding.bodyField
  const schema =
    only === undefined
      ? bodyObject(
          operation,
          fields,
          shared.components.schemaOf(operation.input, 'request', operation.contract.id, where),
        )
      : shared.components.schemaOf((fields[0] as BoundField).schema, 'request', operation.contract.id, where)
  const examples = examplesOf(operation, (input) => (only === undefined ? pickFields(input, fields) : input[only]))
  return { required, content: { 'application/json': { schema, ...examples } } }
}

function pickFields(input: Record<string, unknown>, fields: readonly BoundField[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.filter(({ name }) => input[name] !== undefined).map(({ name }) => [name, input[name]]),
  )
}

/** The input's schema with the body's fields only; untouched (it may be a reference) when that is all of them. */
function bodyObject(operation: Op, fields: readonly BoundField[], schema: JsonSchema): JsonSchema {
  const names = new Set(fields.map(({ name }) => name))
  if (Object.keys(operation.input.shape as object).every((name) => names.has(name))) return schema
  return { ...schema, ...onlyFields(schema, names) }
}

function onlyFields(schema: JsonSchema, names: ReadonlySet<string>): JsonSchema {
  const properties = Object.entries((schema['properties'] ?? {}) as JsonSchema).filter(([name]) => names.has(name))
  const required = ((schema['required'] ?? []) as string[]).filter((name) => names.has(name))
  return { properties: Object.fromEntries(properties), required }
}

function successResponses(operation: Op, shared: Shared, notes: ReplyNotes): JsonSchema {
  const replies: readonly (readonly [string, z.ZodType | undefined])[] =
    operation.responses === undefined
      ? [[String(operation.status), operation.output as z.ZodType | undefined]]
      : Object.entries<z.ZodType>(operation.responses)
  return Object.fromEntries(
    replies.map(([status, schema]) => [status, successResponse(operation, status, schema, shared, notes)]),
  )
}

// Source: RFC 9110, section 15.3.
const phrases: Readonly<Record<string, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
}

function successResponse(
  operation: Op,
  status: string,
  schema: z.ZodType | undefined,
  shared: Shared,
  notes: ReplyNotes,
): JsonSchema {
  const headers = responseHeaders(operation, shared, notes)
  const description = phrases[status] ?? 'Success'
  if (schema === undefined) return { description, ...headers }
  const types = bytesContentTypes(schema)
  if (types !== undefined) {
    const all = types.length === 0 ? ['application/octet-stream'] : types
    return { description, ...headers, content: Object.fromEntries(all.map((type) => [type, { schema: {} }])) }
  }
  const where = `${pascal(operation.contract.name)}${pascal(operation.name)}Output${operation.responses === undefined ? '' : status}`
  const json =
    Object.keys(notes.origins).length === 0
      ? shared.components.schemaOf(schema, 'reply', operation.contract.id, where)
      : composedSchema(operation, schema as z.ZodObject, where, shared, notes)
  return {
    description,
    ...headers,
    content: { 'application/json': { schema: json, ...outputExamples(operation, schema) } },
  }
}

function outputExamples(operation: Op, schema: z.ZodType): JsonSchema {
  const named = operation.examples.flatMap(({ summary, output }, index) => {
    const wire = output === undefined ? undefined : wireSchema(schema).wire(output)
    if (wire?.ok !== true) return []
    return [[`example${index + 1}`, { ...(summary === undefined ? {} : { summary }), value: wire.value }] as const]
  })
  return named.length === 0 ? {} : { examples: Object.fromEntries(named) }
}

/** An object whose fields are told in the names of the contracts that they come from. */
function composedSchema(
  operation: Op,
  schema: z.ZodObject,
  where: string,
  { components }: Shared,
  { origins }: ReplyNotes,
): JsonSchema {
  const fields = Object.entries(schema.shape as Record<string, z.ZodType>)
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map(([name, field]) => [
        name,
        components.schemaOf(field, 'reply', origins[name] ?? operation.contract.id, `${where}${pascal(name)}`),
      ]),
    ),
    required: fields.filter(([, field]) => !mayBeMissing(field)).map(([name]) => name),
  }
}

function responseHeaders({ deprecated, idempotent }: Op, shared: Shared, notes: ReplyNotes): JsonSchema {
  const headers: Record<string, JsonSchema> = { ...notes.headers }
  if (idempotent === 'key') headers['Idempotency-Replayed'] = { $ref: '#/components/headers/IdempotencyReplayed' }
  if (deprecated !== undefined) {
    shared.needs.add('deprecation')
    headers['Deprecation'] = { $ref: '#/components/headers/Deprecation' }
    if (deprecated.sunset !== undefined) headers['Sunset'] = { $ref: '#/components/headers/Sunset' }
  }
  return Object.keys(headers).length === 0 ? {} : { headers }
}

import { bindingOf } from '../binding.ts'
import type { Bound } from '../contract.ts'
import type { JsonSchema } from '../json-schema.ts'
import type { AnyOperation } from '../operation.ts'
import { type PlatformCode, platformErrors } from '../platform-errors.ts'
import type { DeclaredError } from '../problem.ts'
import type { Components } from './components.ts'
import { pascal } from './components.ts'

/** RFC 9457 with Trestle's members. */
export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'A failure. Source: RFC 9457. Programs look at `code`, people at `title` and `detail`.',
  properties: {
    type: { type: 'string', description: 'A URI reference that names the kind of problem.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', description: 'Stable, snake_case.' },
    traceId: { type: 'string', description: 'Names this request in the logs.' },
    errors: {
      type: 'array',
      description: 'For invalid input: what is wrong and where.',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer into the input (RFC 6901).' },
          detail: { type: 'string' },
        },
        required: ['pointer', 'detail'],
      },
    },
  },
  required: ['title', 'status', 'code'],
}

/** The platform's own failures that an operation may answer with, by status. */
function platformCodes(operation: AnyOperation): readonly PlatformCode[] {
  const { access, deprecated, idempotent } = operation
  const hasBody = bindingOf(operation).body !== 'none'
  return [
    'invalid_input',
    ...(access !== undefined && access.kind !== 'anyone' ? (['unauthenticated'] as const) : []),
    ...(access?.kind === 'scopes' ? (['forbidden'] as const) : []),
    ...(deprecated?.sunset === undefined ? [] : (['gone'] as const)),
    ...(idempotent === 'key' ? (['idempotency_in_progress', 'idempotency_key_reused'] as const) : []),
    ...(hasBody ? (['body_too_large', 'unsupported_media_type'] as const) : []),
    'rate_limited',
    'internal',
    'bad_reply',
    'unavailable',
    'overloaded',
    'outcome_unknown',
    'deadline_exceeded',
  ]
}

interface Declared {
  readonly code: string
  readonly error: DeclaredError
}

/** Every failure of an operation as a response, by status; those that only the platform makes are shared components. */
export function problemResponses(
  operation: Bound<AnyOperation, string>,
  components: Components,
  shared: Record<string, JsonSchema>,
): Readonly<Record<string, JsonSchema>> {
  const declared = Object.entries<DeclaredError>(operation.errors).map(([code, error]) => ({ code, error }))
  const platform = platformCodes(operation)
  const statuses = new Set([
    ...declared.map(({ error }) => error.status),
    ...platform.map((code) => platformErrors[code].status),
  ])
  const responses = [...statuses]
    .toSorted((a, b) => a - b)
    .map((status) => {
      const own = declared.filter(({ error }) => error.status === status)
      const ours = platform.filter(
        (code) => platformErrors[code].status === status && !own.some((d) => d.code === code),
      )
      return [
        String(status),
        own.length === 0 ? sharedResponse(ours, shared) : ownResponse(operation, own, ours, components),
      ] as const
    })
  return Object.fromEntries(responses)
}

const withCodes = (codes: readonly string[]): JsonSchema => ({
  allOf: [
    { $ref: '#/components/schemas/Problem' },
    { type: 'object', properties: { code: { type: 'string', enum: codes } }, required: ['code'] },
  ],
})

const response = (description: string, schema: JsonSchema): JsonSchema => ({
  description,
  content: { 'application/problem+json': { schema } },
})

function sharedResponse(codes: readonly PlatformCode[], shared: Record<string, JsonSchema>): JsonSchema {
  const name = codes.map(pascal).join('Or')
  shared[name] ??= response(
    codes.map((code) => `\`${code}\`: ${platformErrors[code].title}.`).join(' '),
    withCodes(codes),
  )
  return { $ref: `#/components/responses/${name}` }
}

function ownResponse(
  operation: Bound<AnyOperation, string>,
  own: readonly Declared[],
  ours: readonly PlatformCode[],
  components: Components,
): JsonSchema {
  const sentences = [
    ...own.map(({ code, error }) => `\`${code}\`${error.summary === undefined ? '' : `: ${error.summary}`}.`),
    ...ours.map((code) => `\`${code}\`: ${platformErrors[code].title}.`),
  ]
  const codes = [...own.map(({ code }) => code), ...ours]
  if (own.every(({ error }) => error.details === undefined)) return response(sentences.join(' '), withCodes(codes))
  const { contract, name } = operation
  const forms = own.map(({ code, error }) =>
    detailed(code, error, (schema) =>
      components.schemaOf(schema, 'reply', contract.id, `${pascal(name)}${pascal(code)}`),
    ),
  )
  const rest =
    ours.length === 0
      ? []
      : [{ type: 'object', properties: { code: { type: 'string', enum: ours } }, required: ['code'] }]
  const all = [...forms, ...rest]
  const form = all.length === 1 ? (all[0] as JsonSchema) : { oneOf: all }
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, form] }
  return response(sentences.join(' '), schema)
}

function detailed(
  code: string,
  { details }: DeclaredError,
  schemaOf: (schema: NonNullable<DeclaredError['details']>) => JsonSchema,
): JsonSchema {
  const properties: JsonSchema = { code: { type: 'string', const: code } }
  if (details === undefined) return { type: 'object', properties, required: ['code'] }
  properties['details'] = schemaOf(details)
  return { type: 'object', properties, required: ['code', 'details'] }
}

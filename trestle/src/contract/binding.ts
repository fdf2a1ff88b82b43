import type { z } from 'zod'
import { bytesContentTypes } from './bytes.ts'
import type { AnyOperation } from './operation.ts'

/** Where a field of the flat input stands in the HTTP request. */
export type FieldPlace = 'path' | 'query' | 'header' | 'body'

/** How the flat input of an operation lies in an HTTP request. */
export interface Binding {
  readonly fields: readonly BoundField[]
  /** `none`: a body is ignored. `object`: the body is the JSON object of the body fields. Else one field is the body. */
  readonly body: 'none' | 'object' | 'field' | 'bytes'
  /** For `field` and `bytes`. */
  readonly bodyField: string | undefined
  /** For `bytes`: the media types taken, empty for any. */
  readonly contentTypes: readonly string[]
}

export interface BoundField {
  readonly name: string
  readonly place: FieldPlace
  readonly schema: z.ZodType
  /** The header's name in lower case, for `header`. */
  readonly header: string | undefined
}

/** The `{fields}` of a path template, in order. */
export function templateFields(path: string): readonly string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] as string)
}

const withoutBody = new Set(['GET', 'HEAD', 'DELETE'])

export function bindingOf(operation: AnyOperation): Binding {
  const method = operation.rest?.method ?? 'POST'
  const inPath = new Set(templateFields(operation.rest?.path ?? ''))
  const rest: FieldPlace = operation.body !== undefined || withoutBody.has(method) ? 'query' : 'body'
  const placeOf = (name: string): FieldPlace => {
    if (inPath.has(name)) return 'path'
    if (Object.hasOwn(operation.headers, name)) return 'header'
    return name === operation.body ? 'body' : rest
  }
  const shape = operation.input.shape as Record<string, z.ZodType>
  const fields = Object.entries(shape).map(([name, schema]) => ({
    name,
    place: placeOf(name),
    schema,
    header: Object.hasOwn(operation.headers, name) ? operation.headers[name]?.toLowerCase() : undefined,
  }))
  const contentTypes = operation.body === undefined ? undefined : bytesContentTypes(shape[operation.body])
  const body = operation.body !== undefined ? (contentTypes ? 'bytes' : 'field') : rest === 'body' ? 'object' : 'none'
  return { fields, body, bodyField: operation.body, contentTypes: contentTypes ?? [] }
}

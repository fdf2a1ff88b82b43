// oxlint-disable no-underscore-dangle -- `_zod` is Zod's documented door for library authors; only this file goes through it
import type { z } from 'zod'

/** What a Zod schema is made of, as a union over its `type`. */
export type ZodDef = z.core.$ZodTypes['_zod']['def']

export function defOf(schema: z.core.$ZodType): ZodDef {
  return (schema as z.core.$ZodTypes)._zod.def
}

/** A check as Zod keeps it: `min_length`, `string_format`, `custom`, ... */
export interface CheckDef {
  readonly check: string
  readonly format?: string
  readonly pattern?: RegExp
  /** The bound of a number. */
  readonly value?: unknown
  /** The bound of a length. */
  readonly minimum?: number
  readonly maximum?: number
  readonly length?: number
  /** What only some formats have. */
  readonly local?: boolean
  readonly precision?: number | null
  readonly version?: string
  readonly protocol?: RegExp
  readonly hostname?: RegExp
  readonly normalize?: boolean
  readonly alg?: string | null
}

/** The checks of a schema, in order; a format schema (`z.email()`) is its own first check. */
export function checksOf(schema: z.core.$ZodType): readonly CheckDef[] {
  const def = defOf(schema) as { readonly check?: string; readonly checks?: readonly z.core.$ZodCheck<never>[] }
  const own = def.check === undefined ? [] : [def as CheckDef]
  return [...own, ...(def.checks ?? []).map((check) => check._zod.def as CheckDef)]
}

/** Whether Zod would make what it wants of what it gets: `z.coerce.number()`. */
export function isCoerced(schema: z.core.$ZodType): boolean {
  return (defOf(schema) as { readonly coerce?: boolean }).coerce === true
}

/** A pipe made by `z.codec(...)`, `z.stringbool()` and the like: it can go both ways. */
export function isCodec(schema: z.core.$ZodType): boolean {
  return schema._zod.traits.has('$ZodCodec')
}

/** The values that a schema can have, where they are few and known: literals, enums. */
export function valuesOf(schema: z.core.$ZodType): ReadonlySet<unknown> | undefined {
  return schema._zod.values
}

/** The schema behind a `z.lazy(...)`, a stable object. */
export function lazyTarget(schema: z.core.$ZodType): z.core.$ZodType {
  return (schema as z.core.$ZodLazy)._zod.innerType
}

/** The schema without what only says whether it may be missing, null or changed: `optional`, `default`, `nullable`, ... */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const def = defOf(schema)
  switch (def.type) {
    case 'optional':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
      return unwrap(def.innerType)
    case 'lazy':
      return unwrap(lazyTarget(schema))
    default:
      return schema
  }
}

/** The side of a schema that crosses the wire: the same, or what a codec reads. */
export function wireSide(schema: z.core.$ZodType): z.core.$ZodType {
  const bare = unwrap(schema)
  const def = defOf(bare)
  return def.type === 'pipe' ? wireSide(def.in) : bare
}

/** Whether the field may be left out by its sender. */
export function mayBeMissing(schema: z.core.$ZodType): boolean {
  return schema._zod.optin !== undefined
}

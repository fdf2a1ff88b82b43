import type { z } from 'zod'

/** What a Zod schema is made of, as a union over its `type`. The only place that looks inside Zod. */
export type ZodDef = z.core.$ZodTypes['_zod']['def']

export function defOf(schema: z.core.$ZodType): ZodDef {
  return (schema as z.core.$ZodTypes)._zod.def
}

/** A pipe made by `z.codec(...)`, `z.stringbool()` and the like: it can go both ways. */
export function isCodec(schema: z.core.$ZodType): boolean {
  return schema._zod.traits.has('$ZodCodec')
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

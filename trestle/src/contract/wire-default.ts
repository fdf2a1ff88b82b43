import { z } from 'zod'
import { defOf, lazyTarget } from './zod-def.ts'

/** The wire form of a default: what a sender would have written. */
export function wireDefault(def: z.core.$ZodDefaultDef): unknown {
  return z.encode(def.innerType as z.ZodType, def.defaultValue)
}

/** Whether leaving the field out gives it a value on the receiving side. */
export function hasDefault(schema: z.core.$ZodType): boolean {
  const def = defOf(schema)
  switch (def.type) {
    case 'default':
    case 'prefault':
      return true
    case 'optional':
    case 'nonoptional':
    case 'nullable':
    case 'readonly':
      return hasDefault(def.innerType)
    case 'pipe':
      return hasDefault(def.in)
    case 'lazy':
      return hasDefault(lazyTarget(schema))
    default:
      return false
  }
}

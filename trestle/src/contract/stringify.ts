import fastJson from 'fast-json-stringify'
import type { z } from 'zod'
import type { Copy } from './copier.ts'
import type { JsonSchema } from './json-schema.ts'
import { wireDefault } from './wire-default.ts'
import { defOf } from './zod-def.ts'

/**
 * Makes the function that writes a value which the validator has accepted as JSON: declared fields only, defaults set.
 * What fast-json-stringify writes exactly as `JSON.stringify(copy)` would goes through it; for the rest (unions, tuples,
 * intersections, recursion, open objects) its rules differ from JSON Schema 2020-12, so the copy is written.
 */
export function compileStringify(schema: z.ZodType, wireCopy: Copy): (value: unknown) => string {
  const fast = fastSchema(schema)
  // Scalars gain nothing.
  const structured = fast !== undefined && (fast['type'] === 'object' || fast['type'] === 'array')
  return structured ? fastJson(fast as object) : (value) => JSON.stringify(wireCopy(value))
}

/**
 * The schema in the words of fast-json-stringify; `undefined` when it cannot be said exactly.
 * @param above the schemas that hold this one: one that holds itself has no end
 */
export function fastSchema(schema: z.core.$ZodType, above: readonly z.core.$ZodType[] = []): JsonSchema | undefined {
  if (above.includes(schema)) return undefined
  const path = [...above, schema]
  const def = defOf(schema)
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return { type: 'string' }
    case 'number':
      return { type: 'number' }
    case 'boolean':
    case 'null':
      return { type: def.type }
    case 'enum':
      return allStrings(Object.values(def.entries)) ? { type: 'string' } : undefined
    case 'literal':
      return allStrings(def.values) ? { type: 'string' } : undefined
    case 'object':
      return fastObject(def, path)
    case 'array': {
      const items = fastSchema(def.element, path)
      return items === undefined ? undefined : { type: 'array', items }
    }
    case 'nullable': {
      const inner = fastSchema(def.innerType, path)
      return inner === undefined ? undefined : { ...inner, nullable: true }
    }
    case 'optional':
    case 'nonoptional':
    case 'readonly':
      return fastSchema(def.innerType, path)
    case 'default': {
      const inner = fastSchema(def.innerType, path)
      return inner === undefined ? undefined : { ...inner, default: wireDefault(def) }
    }
    case 'pipe':
      return fastSchema(def.in, path)
    default:
      return undefined
  }
}

function allStrings(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}

function fastObject(def: z.core.$ZodObjectDef, path: readonly z.core.$ZodType[]): JsonSchema | undefined {
  if (def.catchall !== undefined && defOf(def.catchall).type !== 'never') return undefined
  const properties: JsonSchema = {}
  for (const [key, field] of Object.entries(def.shape)) {
    const schema = fastSchema(field, path)
    // It reads `value.constructor`, which every object has.
    if (schema === undefined || key in Object.prototype) return undefined
    properties[key] = schema
  }
  return { type: 'object', properties }
}

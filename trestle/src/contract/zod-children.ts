import type { z } from 'zod'
import { defOf, lazyTarget } from './zod-def.ts'

/** The schemas inside a schema on the wire side, each with its step in a path: `.lines`, `[]`, `[0]`, `[*]`. */
export function childrenOf(schema: z.core.$ZodType): readonly (readonly [step: string, child: z.core.$ZodType])[] {
  const def = defOf(schema)
  switch (def.type) {
    case 'object': {
      const fields = Object.entries(def.shape).map(([key, field]) => [`.${key}`, field] as const)
      return def.catchall === undefined ? fields : [...fields, ['[*]', def.catchall]]
    }
    case 'array':
      return [['[]', def.element]]
    case 'tuple': {
      const items = def.items.map((item, index) => [`[${index}]`, item] as const)
      return def.rest ? [...items, ['[]', def.rest]] : items
    }
    case 'record':
      return [
        ['[key]', def.keyType],
        ['[*]', def.valueType],
      ]
    case 'union':
      return def.options.map((option, index) => [`[option ${index + 1}]`, option] as const)
    case 'intersection':
      return [
        ['[left]', def.left],
        ['[right]', def.right],
      ]
    case 'lazy':
      return [['', lazyTarget(schema)]]
    case 'pipe':
      return [['', def.in]]
    case 'optional':
    case 'nonoptional':
    case 'nullable':
    case 'readonly':
    case 'default':
    case 'prefault':
      return [['', def.innerType]]
    default:
      return []
  }
}

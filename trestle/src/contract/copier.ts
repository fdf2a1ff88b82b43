import { z } from 'zod'
import { CopyFault, copyUnder } from './copy-fault.ts'
import { jsonCopy } from './json-copy.ts'
import { pickOption } from './pick-option.ts'
import { wireDefault } from './wire-default.ts'
import { defOf, isCodec, lazyTarget } from './zod-def.ts'

/** Copies a value that the schema's validator has accepted: declared fields only, nothing shared with the original. */
export type Copy = (value: unknown) => unknown

/**
 * `read`: what the receiver sees; codecs decoded, defaults set.
 * `wire`: what crosses; codecs left in wire form, defaults set in wire form.
 */
export type CopyMode = 'read' | 'wire'

/** Schemas refer to themselves: each gets its copy once, and a reference waits for it. */
type Known = Map<z.core.$ZodType, Copy>

export function compileCopy(schema: z.ZodType, mode: CopyMode): Copy {
  return copyOf(schema, mode, new Map())
}

// `-0` is `0` in JSON.
const scalar: Copy = (value) => (typeof value === 'number' ? value + 0 : value)

function copyOf(schema: z.core.$ZodType, mode: CopyMode, known: Known): Copy {
  const found = known.get(schema)
  if (found !== undefined) return found
  let made: Copy | undefined
  known.set(schema, (value) => (made as Copy)(value))
  made = makeCopy(schema, mode, known)
  known.set(schema, made)
  return made
}

function makeCopy(schema: z.core.$ZodType, mode: CopyMode, known: Known): Copy {
  const def = defOf(schema)
  const of = (inner: z.core.$ZodType) => copyOf(inner, mode, known)
  switch (def.type) {
    case 'object':
      return copyObject(def, mode, known)
    case 'array':
      return copyArray(of(def.element))
    case 'tuple':
      return copyTuple(def.items.map(of), def.rest ? of(def.rest) : undefined)
    case 'record':
      return copyRecord(of(def.valueType))
    case 'union':
      return def.options.every(isScalar) ? scalar : pickOption(schema, def, def.options.map(of))
    case 'intersection':
      return copyBoth(of(def.left), of(def.right))
    case 'nullable':
      return orNull(of(def.innerType))
    case 'optional':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'readonly':
      return of(def.innerType)
    case 'lazy':
      return of(lazyTarget(schema))
    case 'pipe':
      return mode === 'read' && isCodec(schema) ? decode(schema as z.ZodType) : of(def.in)
    case 'unknown':
    case 'any':
      return jsonCopy
    default:
      return scalar
  }
}

const scalarTypes = new Set(['string', 'number', 'boolean', 'null', 'literal', 'enum', 'template_literal', 'never'])
const isScalar = (schema: z.core.$ZodType) => scalarTypes.has(defOf(schema).type)

function orNull(copy: Copy): Copy {
  return copy === scalar ? scalar : (value) => (value === null ? null : copy(value))
}

function decode(codec: z.ZodType): Copy {
  return (value) => {
    const result = codec.safeParse(value)
    if (result.success) return result.data
    throw new CopyFault(
      result.error.issues.map((issue) => ({
        pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
        detail: issue.message,
      })),
    )
  }
}

/** Sets an own property whatever its name: `out['__proto__'] = x` would set the prototype. */
function setOwn(out: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(out, key, { value, writable: true, enumerable: true, configurable: true })
  else out[key] = value
}

interface Field {
  readonly key: string
  readonly copy: Copy
  /** What a missing field becomes; `undefined`: it stays missing. */
  readonly missing: (() => unknown) | undefined
}

function copyObject(def: z.core.$ZodObjectDef, mode: CopyMode, known: Known): Copy {
  const fields: Field[] = Object.entries(def.shape).map(([key, schema]) => ({
    key,
    copy: copyOf(schema, mode, known),
    missing: missingValue(schema, mode, known),
  }))
  const rest = restOf(def, mode, known)
  const declared = new Set(Object.keys(def.shape))
  return (value) => {
    const source = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    for (const field of fields) copyField(field, source, out)
    if (rest !== undefined) {
      for (const key of Object.keys(source)) {
        if (!declared.has(key)) setDefined(out, key, source[key], rest)
      }
    }
    return out
  }
}

function copyField(field: Field, source: Record<string, unknown>, out: Record<string, unknown>): void {
  const { key, copy, missing } = field
  const value = Object.hasOwn(source, key) ? source[key] : undefined
  if (value !== undefined) out[key] = copy === scalar ? scalar(value) : copyUnder(key, () => copy(value))
  else if (missing !== undefined) out[key] = missing()
}

function setDefined(out: Record<string, unknown>, key: string, value: unknown, copy: Copy): void {
  if (value === undefined) return
  const copied = copyUnder(key, () => copy(value))
  if (copied !== undefined) setOwn(out, key, copied)
}

/** How fields beyond the declared ones are copied: `z.looseObject` and `.catchall` keep them, others drop them. */
function restOf(def: z.core.$ZodObjectDef, mode: CopyMode, known: Known): Copy | undefined {
  const catchall = def.catchall
  return catchall === undefined || defOf(catchall).type === 'never' ? undefined : copyOf(catchall, mode, known)
}

function missingValue(schema: z.core.$ZodType, mode: CopyMode, known: Known): (() => unknown) | undefined {
  const def = defOf(schema)
  switch (def.type) {
    case 'default':
      // Each reader gets its own: a default that is an object must not be shared.
      return mode === 'wire' ? () => structuredClone(wireDefault(def)) : () => structuredClone(def.defaultValue)
    case 'prefault': {
      const copy = copyOf(def.innerType, mode, known)
      return () => copy(def.defaultValue)
    }
    case 'optional':
    case 'nonoptional':
    case 'nullable':
    case 'readonly':
      return missingValue(def.innerType, mode, known)
    case 'lazy':
      return missingValue(lazyTarget(schema), mode, known)
    case 'pipe': {
      const inner = missingValue(def.in, 'wire', known)
      if (inner === undefined || mode === 'wire') return inner
      const copy = copyOf(schema, mode, known)
      return () => copy(inner())
    }
    default:
      return undefined
  }
}

function copyArray(item: Copy): Copy {
  if (item === scalar) return (value) => (value as unknown[]).map(scalar)
  return (value) => (value as unknown[]).map((entry, index) => copyUnder(index, () => item(entry)))
}

function copyTuple(items: readonly Copy[], rest: Copy | undefined): Copy {
  return (value) => {
    const source = value as unknown[]
    const length = rest === undefined ? Math.min(source.length, items.length) : source.length
    return source
      .slice(0, length)
      .map((entry, index) => copyUnder(index, () => (items[index] ?? (rest as Copy))(entry)))
  }
}

function copyRecord(item: Copy): Copy {
  return (value) => {
    const source = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    for (const key of Object.keys(source)) setDefined(out, key, source[key], item)
    return out
  }
}

function copyBoth(left: Copy, right: Copy): Copy {
  return (value) => {
    const a = left(value)
    const b = right(value)
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a
    const out = a as Record<string, unknown>
    for (const key of Object.keys(b)) setOwn(out, key, (b as Record<string, unknown>)[key])
    return out
  }
}

import type { z } from 'zod'
import type { Copy } from './copier.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { compileValidator } from './validator.ts'
import { defOf, valuesOf } from './zod-def.ts'

/**
 * Copies a union's value by the option that it matches: by its discriminator, else by its JSON type, else by the first
 * option that validates. That one costs most: of a schema that holds itself, it reads what lies below at each level again.
 */
export function pickOption(schema: z.core.$ZodType, def: z.core.$ZodUnionDef, copies: readonly Copy[]): Copy {
  const name = (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator
  const byTag = name === undefined ? undefined : tagTable(name, def.options, copies)
  if (byTag !== undefined && name !== undefined) return copyByTag(name, byTag)
  const byType = typeTable(def.options, copies)
  return byType === undefined ? byValidity(def.options, copies) : (value) => (byType.get(typeOf(value)) as Copy)(value)
}

function copyByTag(name: string, byTag: ReadonlyMap<unknown, Copy>): Copy {
  return (value) => (byTag.get((value as Record<string, unknown>)[name]) as Copy)(value)
}

/** Discriminator value -> copy; `undefined` when an option is no plain object with a literal tag. */
function tagTable(
  name: string,
  options: readonly z.core.$ZodType[],
  copies: readonly Copy[],
): ReadonlyMap<unknown, Copy> | undefined {
  const table = new Map<unknown, Copy>()
  for (const [index, option] of options.entries()) {
    const def = defOf(option)
    const tag = def.type === 'object' ? def.shape[name] : undefined
    const values = tag === undefined ? undefined : valuesOf(tag)
    if (values === undefined || values.has(undefined)) return undefined
    for (const value of values) table.set(value, copies[index] as Copy)
  }
  return table
}

/** JSON type -> copy; `undefined` when two options share one, or one has several. */
function typeTable(
  options: readonly z.core.$ZodType[],
  copies: readonly Copy[],
): ReadonlyMap<string, Copy> | undefined {
  const types = options.map(wireTypeOf)
  if (types.includes(undefined) || new Set(types).size < types.length) return undefined
  return new Map(types.map((type, index) => [type as string, copies[index] as Copy]))
}

const jsonTypes: Readonly<Record<string, string>> = {
  string: 'string',
  template_literal: 'string',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
  array: 'array',
  tuple: 'array',
  object: 'object',
  record: 'object',
}

function wireTypeOf(schema: z.core.$ZodType): string | undefined {
  const def = defOf(schema)
  return def.type === 'pipe' ? wireTypeOf(def.in) : jsonTypes[def.type]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function byValidity(options: readonly z.core.$ZodType[], copies: readonly Copy[]): Copy {
  const accepts = options.map((option) => compileAccepts(option as z.ZodType))
  return (value) => {
    const index = accepts.findIndex((accept) => accept(value))
    return (copies[index] as Copy)(value)
  }
}

function compileAccepts(option: z.ZodType): (value: unknown) => boolean {
  let validate: ReturnType<typeof compileValidator> | undefined
  return (value) => {
    validate ??= compileValidator(jsonSchemaOf(option, 'request'))
    return validate(value) === undefined
  }
}

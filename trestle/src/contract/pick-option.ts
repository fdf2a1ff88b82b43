import type { z } from 'zod'
import type { Copy } from './copier.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { compileValidator } from './validator.ts'
import { defOf, valuesOf } from './zod-def.ts'

/** Copies a union's value by the option that it matches: by its discriminator, else by the first that validates. */
export function pickOption(schema: z.core.$ZodType, def: z.core.$ZodUnionDef, copies: readonly Copy[]): Copy {
  const name = (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator
  const byTag = name === undefined ? undefined : tagTable(name, def.options, copies)
  return byTag === undefined || name === undefined ? byValidity(def.options, copies) : copyByTag(name, byTag)
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

import type { z } from 'zod'
import { ContractError } from './contract-error.ts'
import type { AnyOperation } from './operation.ts'
import { wireSchema } from './wire-schema.ts'
import { childrenOf } from './zod-children.ts'

/** Validates the examples of an operation and of the schemas in it. Compiles only what has examples. @throws ContractError */
export function checkExamples(operation: AnyOperation, place: string): void {
  for (const [index, example] of operation.examples.entries()) {
    if (example.input !== undefined) check(operation.input, example.input, `${place} examples[${index}].input`)
    if (example.output === undefined) continue
    const schemas =
      operation.output === undefined ? Object.values<z.ZodType>(operation.responses ?? {}) : [operation.output]
    checkAny(schemas as z.ZodType[], example.output, `${place} examples[${index}].output`)
  }
}

/** Validates `.meta({ examples })` wherever it stands in a schema. */
export function checkSchemaExamples(schema: z.core.$ZodType, place: string, seen = new Set<z.core.$ZodType>()): void {
  if (seen.has(schema)) return
  seen.add(schema)
  const examples = (schema as z.ZodType).meta()?.['examples']
  if (examples !== undefined && !Array.isArray(examples))
    throw new ContractError(place, 'examples in .meta() must be an array')
  for (const [index, example] of ((examples as unknown[] | undefined) ?? []).entries()) {
    check(schema as z.ZodType, example, `${place} examples[${index}]`)
  }
  for (const [step, child] of childrenOf(schema)) checkSchemaExamples(child, `${place}${step}`, seen)
}

function check(schema: z.ZodType, value: unknown, place: string): void {
  checkAny([schema], value, place)
}

function checkAny(schemas: readonly z.ZodType[], value: unknown, place: string): void {
  const results = schemas.map((schema) => accepts(schema, value))
  if (results.length === 0) throw new ContractError(place, 'the operation has no output')
  if (results.some((result) => result.ok)) return
  const fault = results.flatMap((result) => (result.ok ? [] : result.faults))[0]
  throw new ContractError(`${place}${fault?.pointer ?? ''}`, fault?.detail ?? 'is invalid')
}

/** Zod first: it needs no compiling, and what it accepts is seldom refused on the wire. What it refuses, the wire's own validator decides. */
function accepts(schema: z.ZodType, value: unknown) {
  try {
    if (schema.safeParse(value).success) return { ok: true as const }
  } catch {
    // An asynchronous or throwing codec: the wire's validator says more.
  }
  return wireSchema(schema).read(value)
}

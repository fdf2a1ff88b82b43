import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import { faultsOf } from './faults.ts'
import { formats } from './formats.ts'
import type { InputFault } from './input-fault.ts'
import type { JsonSchema } from './json-schema.ts'

/** Says what is wrong with a value, or nothing. */
export type Validate = (value: unknown) => readonly InputFault[] | undefined

const options: Options = {
  strict: false,
  // NaN and Infinity are no numbers of JSON.
  strictNumbers: true,
  // Own properties only: a field named `constructor` is not found on every object.
  ownProperties: true,
  discriminator: true,
  multipleOfPrecision: 9,
  // The schemas are our own, made and checked at definition; checking them against the meta-schema again costs start-up.
  validateSchema: false,
  addUsedSchema: false,
  messages: false,
  // Measured over 54 schemas of the store: half the time to compile, and no slower to run.
  code: { optimize: false },
  logger: false,
  formats: { ...formats },
}

let first: Ajv2020 | undefined
let all: Ajv2020 | undefined
const firstFault = () => (first ??= new Ajv2020(options))
const allFaults = () => (all ??= new Ajv2020({ ...options, allErrors: true }))

/**
 * Ajv finds a schema that refers to itself as `#` by this name; without one it would look among the schemas it keeps, and
 * it keeps none.
 */
const schemaName = 'urn:trestle:schema'

/** Values of more nodes than this get their first fault only, so that a huge wrong body costs no huge report. */
const reportNodesMax = 2_000

/** Compiles a published schema. Compiled when first asked; a fault report needs a second form, compiled when first wrong. */
export function compileValidator(schema: JsonSchema): Validate {
  const named = { $id: schemaName, ...schema }
  let quick: ValidateFunction | undefined
  let full: ValidateFunction | undefined
  return (value) => {
    quick ??= firstFault().compile(named)
    try {
      if (quick(value)) return undefined
      if (!isSmall(value, reportNodesMax)) return faultsOf(quick.errors as ErrorObject[])
      full ??= allFaults().compile(named)
      full(value)
      return faultsOf(full.errors ?? (quick.errors as ErrorObject[]))
    } catch (error) {
      if (error instanceof RangeError) return [{ pointer: '', detail: 'is nested too deeply' }]
      throw error
    }
  }
}

function isSmall(value: unknown, nodesMax: number): boolean {
  const open: unknown[] = [value]
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen + open.length > nodesMax) return false
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    const children = Array.isArray(next) ? next : Object.values(next)
    if (children.length > nodesMax) return false
    open.push(...(children as unknown[]))
  }
  return true
}

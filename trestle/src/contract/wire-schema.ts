import type { z } from 'zod'
import type { Parsed } from './compiled.ts'
import { type Copy, compileCopy } from './copier.ts'
import { CopyFault } from './copy-fault.ts'
import type { InputFault } from './input-fault.ts'
import { codecMark, type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import { compileStringify } from './stringify.ts'
import { compileValidator, type Validate } from './validator.ts'

export type Stringified =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly faults: readonly InputFault[] }

/** A wire schema made ready to run. Each part is compiled when it is first needed. */
export interface WireSchema {
  /** Validates and copies to what the receiver reads. */
  read(value: unknown): Parsed
  /** Validates and copies to what crosses, in wire form. */
  wire(value: unknown): Parsed
  /** Validates and writes as JSON. `JSON.parse` of it, read, equals `read` of the value. */
  stringify(value: unknown): Stringified
}

const compiled = new WeakMap<z.ZodType, WireSchema>()

/** The compiled form of a schema, made once per schema. */
export function wireSchema(schema: z.ZodType): WireSchema {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const made = compileWireSchema(schema)
  compiled.set(schema, made)
  return made
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function compileWireSchema(schema: z.ZodType): WireSchema {
  const json = once<JsonSchema>(() => jsonSchemaOf(schema, 'request'))
  const validate = once<Validate>(() => compileValidator(json()))
  const readCopy = once<Copy>(() => compileCopy(schema, 'read'))
  const wireCopy = once<Copy>(() => compileCopy(schema, 'wire'))
  // A codec may refuse what JSON Schema accepts: then the sender must find it too, not only the receiver.
  const decodes = once(() => JSON.stringify(json()).includes(`"${codecMark}":true`))
  const stringify = once(() => compileStringify(schema, wireCopy()))
  const copied = (value: unknown, copy: Copy): Parsed => {
    const faults = validate()(value)
    return faults === undefined ? guarded(() => copy(value)) : { ok: false, faults }
  }
  const read = (value: unknown) => copied(value, readCopy())
  return {
    read,
    wire: (value) => copied(value, wireCopy()),
    stringify(value) {
      const checked = decodes() ? read(value) : copied(value, nothing)
      if (!checked.ok) return checked
      const text = guarded(() => stringify()(value))
      return text.ok ? { ok: true, json: text.value as string } : text
    },
  }
}

const nothing: Copy = () => undefined

function guarded(make: () => unknown): Parsed {
  try {
    return { ok: true, value: make() }
  } catch (error) {
    if (error instanceof CopyFault) return { ok: false, faults: error.faults }
    if (error instanceof RangeError) return { ok: false, faults: [{ pointer: '', detail: 'is nested too deeply' }] }
    throw error
  }
}

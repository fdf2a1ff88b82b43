import * as fc from 'fast-check'
import type { z } from 'zod'
import { checksOf, defOf } from '../zod-def.ts'

/** Names of records; the hostile ones would set a prototype or are found on every object. */
const plainKey = fc.string().filter((key) => key !== '__proto__')
const hostileKey = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor'))

/** Values for a wire schema: mostly valid, with fields that nobody declared, and now and then wrong on purpose. */
export function valueOf(schema: z.core.$ZodType, hostile: boolean): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 60, arbitrary: right(schema, hostile ? hostileKey : plainKey) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  )
}

const byFormat: Readonly<Record<string, fc.Arbitrary<string>>> = {
  uuid: fc.uuid(),
  email: fc.constantFrom('a@example.com', 'a.b+c@sub.example.org'),
  ipv4: fc.ipV4(),
  datetime: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString()),
  date: fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  regex: fc.stringMatching(/^[a-z]{1,5}$/),
}

function text(schema: z.core.$ZodType): fc.Arbitrary<string> {
  const checks = checksOf(schema)
  const format = checks.find(({ check }) => check === 'string_format')?.format
  if (format !== undefined) return byFormat[format] ?? fc.string()
  return checks.length > 0
    ? fc.string({ minLength: 1, maxLength: 5, unit: 'binary-ascii' })
    : fc.string({ unit: 'binary' })
}

function number(schema: z.core.$ZodType): fc.Arbitrary<number> {
  const checks = checksOf(schema).map(({ check }) => check)
  if (checks.includes('multiple_of')) return fc.integer({ min: -9, max: 9 }).map((n) => n * 5)
  if (checks.includes('less_than')) return fc.integer({ min: 1, max: 5 })
  if (checks.includes('number_format')) return fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constant(-0))
  return fc.double({ noNaN: true, noDefaultInfinity: true })
}

const undeclared = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ undeclared: 1 }) },
  { weight: 1, arbitrary: fc.constant({ undeclared: { deep: [1, null] } }) },
)

function object(def: z.core.$ZodObjectDef, key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const strict = def.catchall !== undefined && defOf(def.catchall).type === 'never'
  const fields = Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, right(field, key)]))
  return fc
    .tuple(fc.record(fields), strict ? fc.constant({}) : undeclared)
    .map(([declared, more]) => ({ ...more, ...declared }))
}

function right(schema: z.core.$ZodType, key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const def = defOf(schema)
  switch (def.type) {
    case 'string':
      return text(schema)
    case 'number':
      return number(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'literal':
      return fc.constantFrom(...def.values)
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries))
    case 'unknown':
      return fc.jsonValue({ maxDepth: 2 })
    case 'object':
      return object(def, key)
    case 'array':
      return fc.array(right(def.element, key), { maxLength: 5 })
    case 'tuple':
      return fc.tuple(...def.items.map((inner) => right(inner, key)))
    case 'record':
      return fc.dictionary(key, right(def.valueType, key), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'union':
      return fc.oneof(...def.options.map((inner) => right(inner, key)))
    case 'optional':
      return fc.option(right(def.innerType, key), { nil: undefined })
    case 'nullable':
      return fc.option(right(def.innerType, key))
    case 'default':
    case 'readonly':
      return right(def.innerType, key)
    default:
      throw new Error(`no values for ${def.type}`)
  }
}

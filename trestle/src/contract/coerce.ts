import type { z } from 'zod'
import { defOf, wireSide } from './zod-def.ts'

/** Text of a path, query or header value -> the value that the schema's type asks for, or the text itself. */
export type Coerce = (text: string) => unknown

/**
 * The published table. Path, query and header values are text; the declared type says what the text becomes. Text that
 * has not the form stays text, and the validator then says that it "must be a number". Bodies are never coerced.
 *
 * | type             | form                                         | becomes |
 * |------------------|----------------------------------------------|---------|
 * | string           | any                                          | itself  |
 * | number, integer  | a JSON number (`-1`, `0.5`, `1e3`; not ``, `+1`, `0x1f`, `01`, ` 1`) | number |
 * | boolean          | `true`, `false`                              | boolean |
 * | null             | `null`, only where a string is not allowed   | null    |
 * | literal, enum    | the text of one of its values                | that value |
 * | union            | the first of number, boolean, null, string that its options allow and that fits | |
 * | array (query)    | each repetition of the name is an item       | array   |
 */
export function coercion(schema: z.core.$ZodType): Coerce {
  const kinds = kindsOf(schema)
  const readers = [
    kinds.has('number') ? jsonNumber : undefined,
    kinds.has('boolean') ? jsonBoolean : undefined,
    kinds.has('null') && !kinds.has('string') ? jsonNull : undefined,
  ].filter((reader) => reader !== undefined)
  return (text) => {
    for (const read of readers) {
      const value = read(text)
      if (value !== undefined) return value
    }
    return text
  }
}

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const jsonNumber = (text: string) => (numberForm.test(text) ? Number(text) + 0 : undefined)
const jsonBoolean = (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined)
const jsonNull = (text: string) => (text === 'null' ? null : undefined)

/** The JSON types of the values that a scalar schema accepts, and `other` for what is no scalar. */
function kindsOf(schema: z.core.$ZodType): ReadonlySet<string> {
  const nullable = hasNullable(schema) ? ['null'] : []
  const def = defOf(wireSide(schema))
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return new Set(['string', ...nullable])
    case 'number':
    case 'boolean':
    case 'null':
      return new Set([def.type, ...nullable])
    case 'literal':
      return new Set([...def.values.map((value) => (value === null ? 'null' : typeof value)), ...nullable])
    case 'enum':
      return new Set([...Object.values(def.entries).map((value) => typeof value), ...nullable])
    case 'union':
      return new Set([...def.options.flatMap((option) => [...kindsOf(option)]), ...nullable])
    case 'unknown':
    case 'any':
      return new Set(['string'])
    default:
      return new Set(['other'])
  }
}

function hasNullable(schema: z.core.$ZodType): boolean {
  const def = defOf(schema)
  if (def.type === 'nullable') return true
  return def.type === 'optional' ||
    def.type === 'default' ||
    def.type === 'prefault' ||
    def.type === 'readonly' ||
    def.type === 'nonoptional'
    ? hasNullable(def.innerType)
    : false
}

/** Whether one piece of text can say each value of the schema. */
export function isTextual(schema: z.core.$ZodType): boolean {
  return !kindsOf(schema).has('other')
}

/** The item schema when the field is an array of what text can say. */
export function textualItem(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const def = defOf(wireSide(schema))
  return def.type === 'array' && isTextual(def.element) ? def.element : undefined
}

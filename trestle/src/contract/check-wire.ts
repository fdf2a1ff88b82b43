import { z } from 'zod'
import { ContractError } from './contract-error.ts'
import { publishedText } from './formats.ts'
import { unsayableText } from './unsayable-text.ts'
import { hasDefault, wireDefault } from './wire-default.ts'
import { childrenOf } from './zod-children.ts'
import { type CheckDef, checksOf, defOf, isCodec, isCoerced } from './zod-def.ts'

/** What a wire schema may not be made of, and what to write instead. */
const remedies: Readonly<Record<string, string>> = {
  date: 'a Date is not a wire type: use z.iso.datetime() (or z.iso.date()), or a codec from it',
  bigint: 'a bigint is not a wire type: use a decimal string, z.string().regex(/^-?\\d+$/), or a codec from it',
  map: 'a Map is not a wire type: use z.record(z.string(), ...) or an array of entries',
  set: 'a Set is not a wire type: use z.array(...)',
  symbol: 'a symbol is not a wire type: use z.literal(...) or z.enum(...)',
  function: 'a function is not a wire type: make it an operation',
  promise: 'a promise is not a wire type: declare what it resolves to',
  undefined: 'undefined is not a wire type: use .optional() on the field that may be missing',
  void: 'void is not a wire type: leave the schema out, or use .optional()',
  nan: 'NaN is not a wire type: use .nullable() for "no number"',
  custom:
    'a custom or instanceof schema cannot be said in JSON Schema: use bytes() for a Uint8Array, z.codec(wireSchema, ...) for others',
  file: 'a file is not a wire type: use bytes()',
  transform: 'a transform goes one way only: use z.codec(...), or do it in the handler',
  catch: '.catch() hides what is invalid: use .default(...) or .optional()',
  success: 'z.success() is not a wire type: use z.boolean()',
}

const checkRemedies: Readonly<Record<string, string>> = {
  custom:
    '.refine() cannot be said in JSON Schema, so nobody else would know the rule: use a codec, or check it in the handler and answer with a declared error',
  overwrite: '.trim(), .toLowerCase() and the like change what was sent: use z.codec(...), or do it in the handler',
  property: 'a check of a property cannot be said in JSON Schema: say it in the schema of that property',
}

const coerced =
  'z.coerce changes what was sent: write the schema without it (values of a path, query or header are read by their declared type; bodies are what they are)'

const sayable = new Set([
  'min_length',
  'max_length',
  'length_equals',
  'string_format',
  'greater_than',
  'less_than',
  'multiple_of',
  'number_format',
])

interface Walk {
  /** `orders.place input`. */
  readonly root: string
  readonly seen: Set<z.core.$ZodType>
  readonly codecs: boolean
}

interface WireRules {
  /** Whether the receiver may read something else than what the sender wrote; default true. */
  readonly codecs?: boolean
}

/**
 * Refuses what cannot cross the wire as JSON described by JSON Schema.
 * @throws ContractError with the path inside the schema and the remedy
 */
export function checkWire(schema: z.core.$ZodType, root: string, { codecs = true }: WireRules = {}): void {
  visit(schema, '', { root, seen: new Set(), codecs }, false)
}

function refuse(walk: Walk, path: string, message: string): never {
  throw new ContractError(walk.root + path, message)
}

function visit(schema: z.core.$ZodType, path: string, walk: Walk, insideCodec: boolean): void {
  if (walk.seen.has(schema)) return
  walk.seen.add(schema)
  const def = defOf(schema)
  const remedy = remedies[def.type]
  if (remedy !== undefined) refuse(walk, path, remedy)
  if (isCoerced(schema)) refuse(walk, path, coerced)
  checkChecks(schema, path, walk, insideCodec || isCodec(schema))
  checkShape(schema, path, walk)
  // Of a codec only the wire side is published; what it decodes to may be anything.
  for (const [step, child] of childrenOf(schema)) visit(child, path + step, walk, insideCodec || isCodec(schema))
  if (def.type === 'default' || def.type === 'prefault') checkDefault(def, path, walk)
}

function checkChecks(schema: z.core.$ZodType, path: string, walk: Walk, insideCodec: boolean): void {
  for (const each of checksOf(schema)) {
    // Inside a codec Zod runs, so its own rules hold there; the published schema says `x-trestle-codec`.
    const remedy = insideCodec && each.check === 'custom' ? undefined : checkRemedy(each, insideCodec)
    if (remedy !== undefined) refuse(walk, path, remedy)
    const { pattern } = each.check === 'string_format' ? publishedText(each) : {}
    if (pattern !== undefined) checkPattern(pattern, path, walk)
    checkBounds(each, path, walk)
  }
  checkNote(schema, path, walk)
}

function checkRemedy(check: CheckDef, insideCodec: boolean): string | undefined {
  if (check.check === 'string_format') return insideCodec ? undefined : unsayableText(check)
  const unsayable = `the check ${JSON.stringify(check.check)} cannot be said in JSON Schema`
  return checkRemedies[check.check] ?? (sayable.has(check.check) ? undefined : unsayable)
}

function checkBounds(check: CheckDef, path: string, walk: Walk): void {
  const { value, minimum, maximum, length } = check
  if (check.check === 'multiple_of' && !(Number.isFinite(value) && (value as number) > 0)) {
    refuse(walk, path, 'multipleOf() needs a number > 0')
  }
  if (value !== undefined && !Number.isFinite(value)) {
    refuse(walk, path, 'the bound of a check must be a number, and not an infinite one: leave it out')
  }
  const size = minimum ?? maximum ?? length
  if (size !== undefined && !(Number.isInteger(size) && size >= 0)) {
    refuse(walk, path, 'the bound of a length must be a whole number from 0: leave out what bounds nothing')
  }
}

/** Of a text, these two keywords come from its rules: what a note says there would be dropped. */
function checkNote(schema: z.core.$ZodType, path: string, walk: Walk): void {
  if (defOf(schema).type !== 'string') return
  const note = z.globalRegistry.get(schema) ?? {}
  const lost = ['pattern', 'format'].find((keyword) => Object.hasOwn(note, keyword))
  if (lost !== undefined)
    refuse(walk, path, `.meta({ ${lost} }) is no rule: say it with .regex(...) or a format of Zod`)
}

/** Zod takes any default; one that its own schema refuses would break each request that leaves the field out. */
function checkDefault(def: z.core.$ZodDefaultDef | z.core.$ZodPrefaultDef, path: string, walk: Walk): void {
  try {
    if (def.type === 'default') wireDefault(def)
    else z.parse(def.innerType, def.defaultValue)
  } catch (error) {
    const why =
      error instanceof z.core.$ZodError ? error.issues.map(({ message }) => message).join(', ') : String(error)
    refuse(walk, path, `its default is not what its schema allows (${why}): mend one of them`)
  }
}

function checkPattern(pattern: RegExp, path: string, walk: Walk): void {
  if (/[^ug]/.test(pattern.flags)) {
    refuse(
      walk,
      path,
      `the flags of ${pattern} cannot be said in JSON Schema: write them into the pattern, such as [aA] for the flag i`,
    )
  }
  if (/\(\?<?[=!]/.test(pattern.source)) {
    refuse(
      walk,
      path,
      `the look-around in ${pattern} is refused by other languages' engines: write the pattern without it`,
    )
  }
  try {
    void new RegExp(pattern.source, 'u')
  } catch (error) {
    refuse(
      walk,
      path,
      `${pattern} is no pattern of JSON Schema (ECMA-262 with the flag u): ${(error as Error).message}`,
    )
  }
}

function checkShape(schema: z.core.$ZodType, path: string, walk: Walk): void {
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      if (Object.hasOwn(def.shape, '__proto__')) refuse(walk, path, 'a field cannot be named __proto__')
      return
    case 'record':
      return checkRecordKey(def.keyType, path, walk)
    case 'literal':
      return checkLiteral(def.values, path, walk)
    case 'pipe':
      return checkPipe(schema, def, path, walk)
    case 'default':
    case 'prefault':
      if (hasDefault(def.innerType)) refuse(walk, path, 'has two defaults: keep one')
      return
    default:
  }
}

function checkPipe(schema: z.core.$ZodType, def: z.core.$ZodPipeDef, path: string, walk: Walk): void {
  if (isCodec(schema) && walk.codecs) return
  if (isCodec(schema)) refuse(walk, path, 'both sides read it in wire form: use the wire side of the codec')
  const preprocess = defOf(def.in).type === 'transform'
  refuse(
    walk,
    path,
    preprocess ? 'z.preprocess() changes what was sent: use z.codec(...)' : (remedies['transform'] as string),
  )
}

function checkRecordKey(key: z.core.$ZodType, path: string, walk: Walk): void {
  const def = defOf(key)
  const fine =
    def.type === 'string' ||
    def.type === 'enum' ||
    def.type === 'template_literal' ||
    (def.type === 'literal' && def.values.every((value) => typeof value === 'string'))
  if (!fine)
    refuse(walk, path, 'the key of a record must be a string, an enum or string literals: names in JSON are strings')
}

function checkLiteral(values: readonly unknown[], path: string, walk: Walk): void {
  for (const value of values) {
    if (value === undefined) refuse(walk, path, remedies['undefined'] as string)
    if (typeof value === 'bigint') refuse(walk, path, remedies['bigint'] as string)
  }
}

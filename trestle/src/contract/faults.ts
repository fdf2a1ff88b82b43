import type { ErrorObject } from 'ajv/dist/2020.js'
import type { InputFault } from './input-fault.ts'

/** How many faults one report lists. */
const faultsMax = 20

/** One token of a JSON Pointer. Source: RFC 6901. */
export function pointerToken(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What Ajv says about an error; texts and numbers in the places that are printed. */
// oxlint-disable-next-line typescript/no-explicit-any -- each keyword has its own parameters, and all of them are printable
type Params = Readonly<Record<string, any>>

const said = (value: unknown) => JSON.stringify(value)
const list = (values: unknown) => (values as unknown[]).map(said).join(', ')
const types = (type: unknown) => (Array.isArray(type) ? type.map(withArticle).join(' or ') : withArticle(String(type)))

function withArticle(type: string): string {
  if (type === 'null') return 'null'
  return `${type === 'integer' || type === 'object' || type === 'array' ? 'an' : 'a'} ${type}`
}

const count = (limit: number, unit: string) => `${limit} ${unit}${limit === 1 ? '' : 's'}`

const details: Readonly<Record<string, (params: Params, error: ErrorObject) => string>> = {
  type: (p) => `must be ${types(p['type'])}`,
  required: () => 'is required',
  additionalProperties: () => 'is not allowed here',
  unevaluatedProperties: () => 'is not allowed here',
  minimum: (p) => `must be >= ${p['limit']}`,
  maximum: (p) => `must be <= ${p['limit']}`,
  exclusiveMinimum: (p) => `must be > ${p['limit']}`,
  exclusiveMaximum: (p) => `must be < ${p['limit']}`,
  multipleOf: (p) => `must be a multiple of ${p['multipleOf']}`,
  minLength: (p) => `must have at least ${count(p['limit'], 'character')}`,
  maxLength: (p) => `must have at most ${count(p['limit'], 'character')}`,
  minItems: (p) => `must have at least ${count(p['limit'], 'item')}`,
  maxItems: (p) => `must have at most ${count(p['limit'], 'item')}`,
  pattern: (p) => `must match the pattern ${p['pattern']}`,
  format: (p) => `must be a valid ${p['format']}`,
  enum: (p) => `must be one of ${list(p['allowedValues'])}`,
  const: (p) => `must be ${said(p['allowedValue'])}`,
  anyOf: () => 'matches none of the allowed forms',
  oneOf: (p) =>
    p['passingSchemas'] === null ? 'matches none of the allowed forms' : 'matches more than one of the allowed forms',
  discriminator: (p) => `must have a known ${said(p['tag'])}, not ${said(p['tagValue'])}`,
  not: () => 'must be absent',
  'false schema': () => 'must be absent',
  propertyNames: (p) => `must not have a property named ${said(p['propertyName'])}`,
}

/** The pointer of a fault: what is missing or too much is named itself, not the object around it. */
function pointerOf(error: ErrorObject): string {
  const params = error.params as Params
  const name =
    params['missingProperty'] ??
    params['additionalProperty'] ??
    params['unevaluatedProperty'] ??
    (error.keyword === 'discriminator' ? params['tag'] : undefined)
  return error.instancePath + (name === undefined ? '' : pointerToken(String(name)))
}

/** Errors inside the branches of a union say what each branch would have liked; the union's own error says it once. */
function outsideUnions(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const unions = errors.filter((e) => e.keyword === 'anyOf' || e.keyword === 'oneOf' || e.keyword === 'propertyNames')
  const inUnion = (error: ErrorObject) =>
    unions.some((union) => error !== union && error.schemaPath.startsWith(`${union.schemaPath}/`))
  return errors.filter((error) => !inUnion(error))
}

/** Ajv's errors as faults for people: JSON Pointers into the value, plain sentences, at most `faultsMax`. */
export function faultsOf(errors: readonly ErrorObject[]): readonly InputFault[] {
  const seen = new Set<string>()
  const faults: InputFault[] = []
  for (const error of outsideUnions(errors.slice(0, 1_000))) {
    const pointer = pointerOf(error)
    const detail = details[error.keyword]?.(error.params as Params, error) ?? `breaks the rule ${said(error.keyword)}`
    const key = `${pointer} ${detail}`
    if (seen.has(key)) continue
    seen.add(key)
    faults.push({ pointer, detail })
    if (faults.length === faultsMax) break
  }
  return faults
}

import type { z } from 'zod'
import type { ConfigFault } from './config-fault.ts'
import { type ConfigNode, type ConfigPath, nodeAt } from './config-node.ts'
import type { Filled, Plain } from './fill-secrets.ts'
import { gatewayFile, type GatewayFile } from './gateway-schema.ts'
import { nearest, suggestion } from './nearest.ts'
import { knownKeys, publishedSchema } from './published-schema.ts'
import type { ConfigSource } from './read-source.ts'

type Issue = z.core.$ZodIssue

/** A file that fits the schema; or what does not, each with its place. */
export type Checked =
  | { readonly ok: true; readonly file: GatewayFile }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] }

/** Checks the values of a file against the schema. */
export function checkFile(source: ConfigSource, filled: Filled): Checked {
  const first = gatewayFile.safeParse(filled.value)
  const result = first.success ? first : gatewayFile.safeParse(asMeant(filled, source, flat(first.error.issues)))
  if (result.success) return { ok: true, file: result.data }
  const issues = flat(result.error.issues)
  return { ok: false, faults: issues.flatMap((issue) => faultsOf(source, issue, filled)) }
}

/** What comes from outside is text: where the schema wants a number or a switch, it is read as one. */
function asMeant({ value, filled }: Filled, { root }: ConfigSource, issues: readonly Issue[]): Plain {
  return issues.reduce((whole, issue) => {
    if (issue.code !== 'invalid_type') return whole
    const path = issue.path as ConfigPath
    const { node, found } = nodeAt(root, path)
    if (!found || !filled.has(node)) return whole
    return replaced(whole, path, (text) => readAs(text, issue.expected))
  }, value)
}

function readAs(text: Plain, expected: string): Plain {
  if (typeof text !== 'string') return text
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const number = Number(text)
  return /^-?\d/.test(text) && Number.isFinite(number) ? number : text
}

function replaced(whole: Plain, [step, ...rest]: ConfigPath, change: (value: Plain) => Plain): Plain {
  if (step === undefined) return change(whole)
  if (Array.isArray(whole)) return whole.map((each: Plain, at) => (at === step ? replaced(each, rest, change) : each))
  const map = whole as Readonly<Record<string, Plain>>
  return { ...map, [step]: replaced(map[step] ?? null, rest, change) }
}

/** Of a value that fits none of several forms, the faults of the form that it seems to have. */
function flat(issues: readonly Issue[], above: ConfigPath = []): readonly Issue[] {
  return issues.flatMap((issue) => {
    const placed = { ...issue, path: [...above, ...issue.path] } as Issue
    if (issue.code !== 'invalid_union') return [placed]
    const inner = issue.errors.map((form) => flat(form, placed.path as ConfigPath))
    // A form is the wrong one when the value as a whole has another type.
    const likely = inner.find((form) => !form.some((each) => wrongWhole(each, placed)))
    return likely ?? [placed]
  })
}

function wrongWhole(issue: Issue, whole: Issue): boolean {
  return ['invalid_type', 'invalid_value'].includes(issue.code) && issue.path.length === whole.path.length
}

function faultsOf(source: ConfigSource, issue: Issue, filled: Filled): readonly ConfigFault[] {
  const path = issue.path as ConfigPath
  const { node, found } = nodeAt(source.root, path)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(publishedSchema(), path)
    return issue.keys.map((key) => {
      const { node: value } = nodeAt(source.root, [...path, key])
      const remedy = nearest(key, known) === undefined ? elsewhere(key) : undefined
      return source.fault(value.keyAt, `${key} is not known ${placeOf(path)}. ${remedy ?? suggestion(key, known)}`)
    })
  }
  const name = nameOf(path)
  if (!found) return [source.fault(node.at, `${name} is missing ${placeOf(path.slice(0, -1))}. ${wanted(issue)}`)]
  return [source.fault(node.at, filled.redact(`${name} ${wrongText(issue, node)}`))]
}

/** What a form of the same file has in another place. */
function elsewhere(key: string): string | undefined {
  const schema = publishedSchema()
  const places = [
    ['upstreams', ['upstreams', 'NAME']],
    ['routes', ['routes', 0]],
    ['authenticate', ['authenticate', 0]],
    ['the top', []],
  ] as const
  const place = places.find(([, path]) => knownKeys(schema, path).includes(key))
  if (place === undefined) return undefined
  return place[0] === 'the top' ? 'It belongs at the top of the file' : `It belongs to an entry of ${place[0]}`
}

function wrongText(issue: Issue, node: ConfigNode): string {
  if (issue.code === 'invalid_type') return wrongType(issue.expected, node)
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${meant(node, values)}`
  }
  if (issue.code === 'invalid_union') {
    const values = issue.errors.flatMap(([first]) => (first?.code === 'invalid_value' ? first.values.map(String) : []))
    const forms = formsOf(issue)
    const listed = forms.includes('array') && typeof node.value === 'string' ? '. Write a list in [ ]' : ''
    return `must be ${forms.map(typeText).join(' or ')}${meant(node, values) || listed}`
  }
  if (issue.code === 'too_small') {
    return issue.minimum === 1 && (issue.origin === 'array' || issue.origin === 'string')
      ? 'must not be empty'
      : `must ${sizeText(issue.origin, 'at least', issue.minimum)}`
  }
  if (issue.code === 'too_big') return `must ${sizeText(issue.origin, 'at most', issue.maximum)}`
  if (issue.code === 'invalid_key') return `is no name: ${issue.issues[0]?.message ?? 'another is needed'}`
  return issue.message
}

function wrongType(expected: string, node: ConfigNode): string {
  if (expected === 'int' && typeof node.value === 'number') return `must be a whole number, not ${node.value}`
  const remedy =
    expected === 'array' && typeof node.value === 'string'
      ? '. Write it in [ ]'
      : expected === 'object'
        ? '. Write { } for the defaults, { name: value } for others'
        : ''
  return `must be ${typeText(expected)}, not ${typeText(typeOf(node))}${remedy}`
}

function meant({ value }: ConfigNode, values: readonly string[]): string {
  const near = typeof value === 'string' ? nearest(value, values) : undefined
  return near === undefined ? '' : `. Did you mean ${near}?`
}

function formsOf(issue: Issue & { readonly code: 'invalid_union' }): readonly string[] {
  return issue.errors.flatMap((form) => {
    const [first] = form
    if (first?.code === 'invalid_type') return [first.expected]
    return first?.code === 'invalid_value' ? [first.values.join(', ')] : []
  })
}

function wanted(issue: Issue): string {
  if (issue.code === 'invalid_type') return `Give it ${typeText(issue.expected)}`
  return issue.code === 'invalid_value' ? `Give it one of ${issue.values.join(', ')}` : 'Add it'
}

function typeText(type: string): string {
  const texts: Readonly<Record<string, string>> = {
    string: 'text',
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    record: 'a map',
    null: 'nothing',
  }
  return texts[type] ?? type
}

function typeOf({ value }: ConfigNode): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function sizeText(origin: string, bound: string, size: number | bigint): string {
  if (origin === 'array') return `have ${bound} ${size} entries`
  return origin === 'string' ? `have ${bound} ${size} characters` : `be ${bound} ${size}`
}

/** `routes[2].path` as people say it. */
function nameOf(path: ConfigPath): string {
  if (path.length === 0) return 'The file'
  return path.reduce<string>((whole, step) => {
    if (typeof step === 'number') return `${whole}[${step}]`
    return whole === '' ? step : `${whole}.${step}`
  }, '')
}

function placeOf(path: ConfigPath): string {
  return path.length === 0 ? 'at the top' : `in ${nameOf(path)}`
}

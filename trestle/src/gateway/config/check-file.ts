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
    const meant = inner.find((form) => !form.some((each) => wrongWhole(each, placed)))
    return meant ?? [placed]
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
      return source.fault(value.keyAt, `${key} is not known ${placeOf(path)}. ${suggestion(key, known)}`)
    })
  }
  const name = nameOf(path)
  if (!found) return [source.fault(node.at, `${name} is missing ${placeOf(path.slice(0, -1))}. ${wanted(issue)}`)]
  return [source.fault(node.at, filled.redact(`${name} ${wrongText(issue, node)}`))]
}

function wrongText(issue: Issue, node: ConfigNode): string {
  if (issue.code === 'invalid_type') return `must be ${typeText(issue.expected)}, not ${typeText(typeOf(node))}`
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const given = typeof node.value === 'string' ? ` ${suggestion(node.value, values)}` : ''
    return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}.${given}`
  }
  if (issue.code === 'invalid_union') {
    const values = issue.errors.flatMap(([first]) => (first?.code === 'invalid_value' ? first.values.map(String) : []))
    const meant = typeof node.value === 'string' ? nearest(node.value, values) : undefined
    return `must be ${formsOf(issue).map(typeText).join(' or ')}${meant === undefined ? '' : `. Did you mean ${meant}?`}`
  }
  if (issue.code === 'too_small') return `must ${sizeVerb(issue.origin)} at least ${issue.minimum}`
  if (issue.code === 'too_big') return `must ${sizeVerb(issue.origin)} at most ${issue.maximum}`
  if (issue.code === 'invalid_key') return 'is no name: a letter, then letters, digits, . _ and -, at most 64'
  return issue.message
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

function sizeVerb(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be'
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

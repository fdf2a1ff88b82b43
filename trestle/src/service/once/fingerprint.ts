import { uuidOf } from './identity.ts'

/** What an input is recognised by: equal for equal inputs, whatever the order of their fields. */
export function fingerprintOf(input: unknown): string {
  return uuidOf(canonical(input))
}

/** Exported for its test. Text that is the same for the same value; what has no JSON form says of what kind it is. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : String(value)
  if (typeof value === 'bigint') return `n${value}`
  if (typeof value !== 'object') return 'u'
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof URL) return `l${JSON.stringify(value.href)}`
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')}`
  if (value instanceof Map) return `m[${[...value].map(canonical).toSorted(byText).join()}]`
  if (value instanceof Set) return `s[${[...value].map(canonical).toSorted(byText).join()}]`
  return canonicalObject(value as Readonly<Record<string, unknown>>)
}

function canonicalObject(value: Readonly<Record<string, unknown>>): string {
  const fields = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .toSorted(byText)
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
  return `{${fields.join()}}`
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

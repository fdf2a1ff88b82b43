import { isCatchAll } from './route-template.ts'

/** Values of a template's fields, percent-decoded, which those of a canonical path can be; of a catch-all as it stands. */
export function decodeValues(values: readonly string[], template: string): readonly string[] {
  if (!values.some((value) => value.includes('%'))) return values
  const rawFrom = isCatchAll(template) ? values.length - 1 : values.length
  return values.map((value, at) => (at < rawFrom ? decodeURIComponent(value) : value))
}

/** A query with more parameters than this is refused. */
const queryParametersMax = 1_000

export type Query =
  | { readonly ok: true; readonly values: ReadonlyMap<string, readonly string[]> }
  | { readonly ok: false; readonly detail: string }

function decodePart(part: string): string {
  return part.includes('%') || part.includes('+') ? decodeURIComponent(part.replaceAll('+', ' ')) : part
}

/**
 * The parameters of a raw query, in order of arrival, repeated ones together. `+` is a blank; a broken escape or
 * escapes that are not UTF-8 refuse the whole query, and so does U+0000, which databases cannot store. Source: WHATWG URL, application/x-www-form-urlencoded, but strict.
 */
export function parseQuery(query: string): Query {
  const values = new Map<string, string[]>()
  if (query === '') return { ok: true, values }
  const pairs = query.split('&', queryParametersMax + 1)
  if (pairs.length > queryParametersMax) return { ok: false, detail: `has more than ${queryParametersMax} parameters` }
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    try {
      const name = decodePart(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : decodePart(pair.slice(equals + 1))
      if (value.includes('\0')) return { ok: false, detail: 'has U+0000' }
      const known = values.get(name)
      if (known === undefined) values.set(name, [value])
      else known.push(value)
    } catch {
      return { ok: false, detail: 'has a broken percent escape' }
    }
  }
  return { ok: true, values }
}

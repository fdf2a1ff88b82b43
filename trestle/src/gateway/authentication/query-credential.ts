/** Every value of a parameter in a raw query, decoded as far as it can be. Names compare decoded: `api%5Fkey` is `api_key`. */
export function parameterValues(query: string, name: string): readonly string[] {
  if (!mayHave(query, name)) return []
  return query.split('&').flatMap((part) => (nameOf(part) === name ? [decoded(part.slice(nameLength(part) + 1))] : []))
}

/** A raw query without the parameters of these names. What stays, stays as it was written. */
export function withoutParameters(query: string, names: readonly string[]): string {
  if (!names.some((name) => mayHave(query, name))) return query
  return query
    .split('&')
    .filter((part) => !names.includes(nameOf(part)))
    .join('&')
}

/** Quickly: most queries have neither the name nor an escape that may hide it. */
function mayHave(query: string, name: string): boolean {
  return query !== '' && (query.includes(name) || query.includes('%'))
}

function nameLength(part: string): number {
  const end = part.indexOf('=')
  return end === -1 ? part.length : end
}

function nameOf(part: string): string {
  return decoded(part.slice(0, nameLength(part)))
}

function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** A path in the one form that matching, authorisation and forwarding use. */
export interface CanonicalPath {
  readonly ok: true
  /** Unreserved characters decoded, other escapes in upper case, no dot segments. */
  readonly path: string
  /** What in it other software may read as something else: refused unless the route allows it. */
  readonly ambiguities: readonly PathAmbiguity[]
}

/** What a path may hold though others could read it differently; refused unless a route allows it. */
export type PathAmbiguity = '%2F' | '%5C' | '//' | ';'

export interface RefusedPath {
  readonly ok: false
  readonly detail: string
}

const plain = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+\/?$/
const none: readonly PathAmbiguity[] = []
const allAmbiguities: readonly PathAmbiguity[] = ['%2F', '%5C', '//', ';']
const unreserved = /[A-Za-z0-9_.~-]/
/** What may stand for itself in a path (RFC 3986, `pchar` and `/`); everything else is written as an escape. */
const literal = /[A-Za-z0-9_.~!$&'()*+,;=:@/-]/

/**
 * Brings the path of a request target into canonical form. Source: RFC 3986, section 6.2.2.
 * Refused: what does not start with `/`, NUL and other control characters, invalid escapes, escapes that are not UTF-8,
 * and whatever would contain a dot segment once `%2F`, `%5C` or `;` were read the way other software reads them.
 * @example canonicalPath('/a/%7euser/../b') // { ok: true, path: '/a/b', ambiguities: [] }
 */
export function canonicalPath(raw: string): CanonicalPath | RefusedPath {
  if (raw === '/' || plain.test(raw)) return { ok: true, path: raw, ambiguities: none }
  if (!raw.startsWith('/')) return refuse('The path does not start with /')
  const normal = normalEscapes(raw)
  if (typeof normal !== 'string') return normal
  const path = withoutDotSegments(normal)
  if (hidesDotSegment(path)) return refuse('The path hides a dot segment')
  return { ok: true, path, ambiguities: allAmbiguities.filter((ambiguity) => path.includes(ambiguity)) }
}

function refuse(detail: string): RefusedPath {
  return { ok: false, detail }
}

function normalEscapes(raw: string): string | RefusedPath {
  let out = ''
  for (let i = 0; i < raw.length; i += 1) {
    const char = raw[i] as string
    if (char !== '%') {
      if (char <= ' ' || char >= '\x7f') return refuse('The path has a character that needs to be percent-encoded')
      out += literal.test(char) ? char : escaped(char)
      continue
    }
    const hex = raw.slice(i + 1, i + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return refuse('The path has an invalid percent-encoding')
    const code = Number.parseInt(hex, 16)
    if (code < 0x20 || code === 0x7f) return refuse('The path has an encoded control character')
    const decoded = String.fromCharCode(code)
    out += unreserved.test(decoded) ? decoded : `%${hex.toUpperCase()}`
    i += 2
  }
  return isUtf8(out) ? out : refuse('The path has a percent-encoding that is not UTF-8')
}

function escaped(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** Source: RFC 3986, section 5.2.4; what goes above the root stays at the root. */
function withoutDotSegments(path: string): string {
  const out: string[] = []
  const segments = path.split('/').slice(1)
  segments.forEach((segment, at) => {
    const last = at === segments.length - 1
    if (segment === '..') out.pop()
    if (segment !== '.' && segment !== '..') out.push(segment)
    else if (last) out.push('')
  })
  return `/${out.join('/')}`
}

/** Decodes again and again, as a careless chain of servers would, and looks for what it would climb by. */
function hidesDotSegment(path: string): boolean {
  let reading = path
  for (let round = 0; round < 3; round += 1) {
    const climbs = reading.split(/[/\\]/).some((segment) => /^\.{1,2}(?:;.*)?$/.test(segment))
    if (climbs) return true
    if (!reading.includes('%')) return false
    reading = reading.replace(/%(25|2E|2F|5C|3B)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return false
}

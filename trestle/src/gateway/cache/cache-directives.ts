/** The directives of a `Cache-Control`; of what is said twice the stricter holds. */
export interface CacheDirectives {
  has(name: string): boolean
  /** A number of seconds as milliseconds: 0 when it is malformed, `undefined` when it is not said. */
  ms(name: string): number | undefined
}

const directive = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?/g
/** More than that means for ever. Source: RFC 9111, section 1.2.2. */
const secondsMax = 2_147_483_648

/** Reads `Cache-Control`. Source: RFC 9111, section 5.2. */
export function cacheDirectives(field: string | undefined): CacheDirectives {
  const found = new Map<string, string>()
  for (const [, name = '', value = ''] of (field ?? '').matchAll(directive)) {
    const key = name.toLowerCase()
    const known = found.get(key)
    found.set(key, known !== undefined && secondsOf(known) < secondsOf(value) ? known : value)
  }
  return {
    has: (name) => found.has(name),
    ms(name) {
      const value = found.get(name)
      return value === undefined ? undefined : secondsOf(value) * 1_000
    },
  }
}

function secondsOf(value: string): number {
  const digits = value.replace(/^"(.*)"$/, '$1')
  return /^\d{1,15}$/.test(digits) ? Math.min(Number(digits), secondsMax) : 0
}

import { fieldsOf, isCatchAll } from '../route/route-template.ts'

/** What the upstream gets instead of the canonical path; both work on it as it is: nothing is decoded. */
export type PathRewrite =
  | { readonly kind: 'prefix'; readonly strip: string; readonly add: string }
  | { readonly kind: 'template'; readonly parts: readonly RewritePart[] }

/** Literal text, the segment at a position, or all from a position on. */
export type RewritePart = string | { readonly segment: number } | { readonly rest: number }

interface RewriteOptions {
  readonly stripPrefix?: string
  readonly addPrefix?: string
  readonly rewrite?: string
}

const prefix = /^(?:\/[A-Za-z0-9_.~-]+)+$/

/** Reads the options. @throws TypeError for a prefix that is none, or is not the pattern's; for unknown fields */
export function pathRewrite(
  pattern: string,
  { stripPrefix = '', addPrefix = '', rewrite }: RewriteOptions,
  fail: (what: string) => TypeError,
): PathRewrite {
  for (const [name, value] of Object.entries({ stripPrefix, addPrefix })) {
    if (value !== '' && !prefix.test(value)) throw fail(`${name} must be like /v1, not ${JSON.stringify(value)}`)
  }
  if (stripPrefix !== '' && pattern !== stripPrefix && !pattern.startsWith(`${stripPrefix}/`)) {
    throw fail(`stripPrefix ${stripPrefix} is not the beginning of the pattern`)
  }
  if (rewrite === undefined) return { kind: 'prefix', strip: stripPrefix, add: addPrefix }
  if (stripPrefix !== '' || addPrefix !== '') throw fail('rewrite says the whole path: leave the prefixes out')
  return { kind: 'template', parts: templateParts(pattern, rewrite, fail) }
}

function templateParts(pattern: string, rewrite: string, fail: (what: string) => TypeError): readonly RewritePart[] {
  const known = fieldsOf(pattern)
  const unknown = fieldsOf(rewrite).find((field) => !known.includes(field))
  if (unknown !== undefined) throw fail(`rewrite names {${unknown}}, which the pattern does not have`)
  if (isCatchAll(rewrite) && !isCatchAll(pattern)) throw fail('rewrite ends in *, and the pattern does not')
  const places = pattern.split('/')
  return rewrite
    .split('/')
    .slice(1)
    .map((segment, at, all) => {
      if (segment === '*' && at === all.length - 1) return { rest: places.length - 1 }
      return /^\{.+\}$/.test(segment) ? { segment: places.indexOf(segment) } : segment
    })
}

/** Makes the function that a request's path goes through. */
export function openPathRewrite(rewrite: PathRewrite): (path: string) => string {
  if (rewrite.kind === 'template') return (path) => fromTemplate(rewrite.parts, path.split('/'))
  const { strip, add } = rewrite
  if (strip === '' && add === '') return (path) => path
  return (path) => {
    const rest = path.slice(strip.length)
    return rest === '' && add === '' ? '/' : add + rest
  }
}

function fromTemplate(parts: readonly RewritePart[], segments: readonly string[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return `/${part}`
      if ('segment' in part) return `/${segments[part.segment] ?? ''}`
      return `/${segments.slice(part.rest).join('/')}`
    })
    .join('')
}

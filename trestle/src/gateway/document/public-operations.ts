import { segmentsOf, shapeOf } from '../route/route-template.ts'
import type { ForeignDocument, ForeignOperation } from './foreign-operations.ts'

/** An operation of a foreign document at the address that the gateway gives it. */
export interface PublicOperation {
  readonly operation: ForeignOperation
  /** As the OpenAPI document says it. */
  readonly path: string
  /** As it is matched: each field is a whole segment. */
  readonly template: string
  /** Of the template's fields; `undefined`: of a segment that is only in part a field. */
  readonly names: readonly (string | undefined)[]
}

/** How the paths of an upstream and those of the gateway go together. */
export interface Exposure {
  readonly pattern: string
  /** `['*']`: all. */
  readonly methods: readonly string[]
  readonly strip: string
  readonly add: string
  /** Before every path of the document. */
  readonly base: string
}

/**
 * The operations that can be reached through a route, with their public paths.
 * @throws TypeError when none can
 */
export function publicOperations(
  document: ForeignDocument,
  exposure: Exposure,
  place: string,
): readonly PublicOperation[] {
  const { pattern, methods, strip, add, base } = exposure
  const found = document.operations.flatMap((operation) => {
    const upstreamPath = base + operation.path
    const below = upstreamPath === add || upstreamPath.startsWith(add === '' ? '/' : `${add}/`)
    if (!below || !(methods.includes('*') || methods.includes(operation.method))) return []
    const rest = upstreamPath.slice(add.length)
    const path = strip !== '' && rest === '/' ? strip : strip + rest
    const made = { operation, path, ...templateOf(path, place) }
    return covers(pattern, made.template) ? [made] : []
  })
  if (found.length > 0) return found
  const [first] = document.operations
  throw new TypeError(
    `${place}: none of its operations is reached by ${pattern}; the first one is ${first?.path}. ` +
      'Say base: the path under which the upstream serves it, or mend the pattern and its prefixes',
  )
}

/** The path with a field for every segment that has one in it. */
function templateOf(path: string, place: string): Pick<PublicOperation, 'template' | 'names'> {
  const names: (string | undefined)[] = []
  const segments = path.split('/').map((segment) => {
    if (!segment.includes('{')) return segment
    names.push(/^\{([^{}]+)\}$/.exec(segment)?.[1])
    return `{f${names.length}}`
  })
  const template = segments.join('/')
  try {
    segmentsOf(template)
  } catch (error) {
    throw new TypeError(`${place}: ${(error as Error).message}`, { cause: error })
  }
  return { template, names }
}

/** Whether a pattern takes whatever a template does. */
function covers(pattern: string, template: string): boolean {
  const wide = segmentsOf(pattern)
  const narrow = segmentsOf(template)
  const open = wide.at(-1)?.kind === 'catch-all'
  if (!open) return shapeOf(pattern) === shapeOf(template)
  return wide.slice(0, -1).every((segment, at) => {
    const other = narrow[at]
    if (other === undefined) return false
    return (
      segment.kind === 'field' || (segment.kind === 'static' && other.kind === 'static' && segment.text === other.text)
    )
  })
}

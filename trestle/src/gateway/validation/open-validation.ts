import type { ForeignDocument } from '../document/foreign-operations.ts'
import type { PublicOperation } from '../document/public-operations.ts'
import type { Policy } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import { createRouteTable, type RouteMatch } from '../route/route-table.ts'
import { type CheckRequest, openOperation } from './open-operation.ts'

interface Entry {
  readonly method: string
  readonly template: string
  readonly place: string
  /** Of the path's fields, in their order; `undefined`: a part of a segment, which is not read. */
  readonly names: readonly (string | undefined)[]
  readonly check: CheckRequest
}

/** What the checks of a route are made from. */
export interface ValidationArgs {
  readonly document: ForeignDocument
  readonly operations: readonly PublicOperation[]
  readonly unknown: 'refuse' | 'pass'
  readonly bodyMaxBytes: number
  readonly place: string
}

/** The policy that holds requests to a foreign document. @throws TypeError when two of its paths are one, or a schema is none */
export function validationPolicy({ document, operations, unknown, bodyMaxBytes, place }: ValidationArgs): Policy {
  const table = createRouteTable<Entry>(
    operations.map(({ operation, template, names }) => ({
      method: operation.method,
      template,
      names,
      place: `${place}: ${operation.path}`,
      check: openOperation({ operation, components: document.components, bodyMaxBytes }, place),
    })),
  )
  return {
    kind: 'policy',
    name: 'openapi',
    stage: 'validation',
    open: () => async (request, next) => {
      const match = table.match('', request.path)
      const entry = match && entryFor(match, request.http.method)
      if (match === undefined || entry === undefined) {
        if (unknown === 'pass') return await next(request)
        throw match === undefined
          ? refused('not_found', { detail: 'The document of this API has no such path' })
          : otherMethod(match)
      }
      const http = await entry.check(request, valuesOf(entry, match.values))
      return await next(http === request.http ? request : { ...request, http })
    },
  }
}

function entryFor({ routes }: RouteMatch<Entry>, method: string): Entry | undefined {
  return routes.get(method) ?? (method === 'HEAD' ? routes.get('GET') : undefined)
}

function otherMethod({ routes }: RouteMatch<Entry>) {
  const allow = [...new Set([...routes.keys(), ...(routes.has('GET') ? ['HEAD'] : [])])].join(', ')
  return refused('method_not_allowed', { detail: `Allowed here: ${allow}` }, [['Allow', allow]])
}

function valuesOf({ names }: Entry, values: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    names.flatMap((name, at) => (name === undefined ? [] : [[name, decodeURIComponent(values[at] ?? '')] as const])),
  )
}

import type { OpenApiDocument, OpenApiInfo } from '../../contract/openapi/document.ts'
import { openapi, type OpenApiRoute, securitySchemesOf } from '../../contract/openapi/openapi.ts'
import type { ForeignPart } from './merge.ts'

/** Makes what writes the gateway's one document: its operations, its aggregates, and what foreign documents say. */
export async function openDocument(
  routes: readonly OpenApiRoute[],
  foreign: readonly ForeignPart[],
  info: OpenApiInfo,
): Promise<() => OpenApiDocument> {
  const shown = oncePerAddress(routes)
  if (foreign.length === 0) return () => openapi(shown, info)
  const { withForeign } = await import('./merge.ts')
  return () => withForeign(openapi(shown, info), foreign, securitySchemesOf(info))
}

/** A document knows no hosts: of two routes at one address on different hosts it shows the first. */
function oncePerAddress(routes: readonly OpenApiRoute[]): readonly OpenApiRoute[] {
  const seen = new Set<string>()
  return routes.filter(({ operation, path }) => {
    const { rest } = operation
    const address = `${rest?.method} ${(path ?? rest?.path ?? '').replaceAll(/\{[^{}]*\}/g, '{}')}`
    const first = !seen.has(address)
    seen.add(address)
    return first
  })
}

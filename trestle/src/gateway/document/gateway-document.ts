import type { OpenApiDocument, OpenApiInfo } from '../../contract/openapi/document.ts'
import type { OpenApiRoute } from '../../contract/openapi/openapi.ts'
import { aggregateDocument } from '../aggregate/aggregate-document.ts'
import type { GatewaySpec } from '../gateway.ts'
import { upstreamDocument } from '../upstream/upstream-document.ts'
import { exposedDocument } from './exposed-document.ts'
import type { ForeignPart } from './merge.ts'
import { openDocument } from './open-document.ts'

/** The document that a gateway serves, without opening one. @throws TypeError when a foreign document cannot be used */
export async function gatewayDocument({ routes }: GatewaySpec, info: OpenApiInfo): Promise<OpenApiDocument> {
  const own: OpenApiRoute[] = []
  const foreign: ForeignPart[] = []
  for (const route of routes) {
    if (route.kind === 'expose') own.push(...route.operations.map(exposedDocument))
    if (route.kind === 'aggregate') own.push(aggregateDocument(route))
    const said = route.kind === 'upstream' ? await upstreamDocument(route) : undefined
    if (said !== undefined) foreign.push(said.part)
  }
  const write = await openDocument(own, foreign, info)
  return write()
}

import type { OpenApiRoute } from '../../contract/openapi/openapi.ts'
import type { ExposedOperation } from '../route/expose.ts'

/** What the document says of an exposed operation. */
export function exposedDocument({ contract, operation, path }: ExposedOperation): OpenApiRoute {
  // An operation taken from a contract is bound to it: `contract(...)` made it so.
  return { contract, operation: operation as OpenApiRoute['operation'], path }
}

import { compileOperation } from '../contract/compile-operation.ts'
import type { Parsed } from '../contract/compiled.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { ReplyBody } from './call.ts'

const nothing = new Uint8Array(0)

/** A reply that came over a wire, as the caller reads it: checked against the contract, undeclared fields gone. */
export function readBody(
  operation: AnyOperation & { readonly name: string },
  body: Exclude<ReplyBody, { readonly kind: 'value' }>,
  status: number,
): Parsed {
  return compileOperation(operation).parseReply(body.kind === 'empty' ? nothing : body.bytes, status)
}

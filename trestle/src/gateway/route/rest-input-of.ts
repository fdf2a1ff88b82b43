import { bindingOf } from '../../contract/binding.ts'
import { clientAddressHeader } from '../../contract/client-address.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import type { RestInput } from '../../contract/rest-input.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { fieldsOf } from './route-template.ts'

/**
 * Makes the function that takes out of a request what an operation's input is bound from.
 * @param path the operation's public template; default: its own
 */
export function restInputOf(
  operation: AnyOperation,
  path: string = operation.rest?.path ?? '/',
): (request: EdgeRequest, body: Uint8Array | undefined) => RestInput {
  const fields = fieldsOf(path)
  const bound = bindingOf(operation).fields.flatMap(({ name, header }) =>
    header === undefined ? [] : [{ name, read: reader(header) }],
  )
  return (request, body) => ({
    params: Object.fromEntries(fields.map((field, at) => [field, request.values[at] ?? ''])),
    query: request.query,
    headers: Object.fromEntries(
      bound.flatMap(({ name, read }) => {
        const value = read(request)
        return value === undefined ? [] : [[name, value]]
      }),
    ),
    contentType: request.headers.get('content-type'),
    body,
  })
}

/** Of a header that the operation binds; the client's address is no header of the request but what the gateway knows. */
function reader(header: string): (request: EdgeRequest) => string | undefined {
  if (header === clientAddressHeader) return (request) => request.clientAddress
  return (request) => request.headers.get(header)
}

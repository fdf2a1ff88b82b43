import { awaitReply } from '../../call/await-reply.ts'
import type { Call, Handle, Reply } from '../../call/call.ts'
import { isWorkId, keyFromOutside, workFromOutside } from '../../call/once-work.ts'
import { childSpan } from '../../std/trace-context.ts'
import type { Clock } from '../../std/clock.ts'
import { bindingOf } from '../../contract/binding.ts'
import { compileOperation } from '../../contract/compile-operation.ts'
import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import { deprecationHeaders } from './deprecation-headers.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Endpoint } from './endpoint.ts'
import type { ExposedOperation, ExposeSpec } from './expose.ts'
import { readIdempotencyKey } from '../request/idempotency-key.ts'
import { Refused, refused } from '../reply/problem-response.ts'
import { readOperationBody } from './operation-body.ts'
import { restInputOf } from './rest-input-of.ts'

export interface EndpointDeps {
  readonly send: Handle
  readonly clock: Clock
}

/** Headers that a service's reply may not set: the gateway's or the engine's own. */
const reserved =
  /^(?:connection|content-length|content-type|date|transfer-encoding|x-request-id|trestle-.*|set-cookie)$/i

/** Makes the endpoint of an exposed operation: HTTP in, a call to wherever the service runs, its bytes out. */
export function operationEndpoint(spec: ExposeSpec, exposed: ExposedOperation, deps: EndpointDeps): Endpoint {
  const { contract, operation, method, path } = exposed
  const label = `${contract.name}.${operation.name}`
  const binding = bindingOf(operation)
  const inputOf = restInputOf(operation, path)
  const fixed = deprecationHeaders(operation.deprecated)

  const callOf = (
    request: EdgeRequest,
    body: Uint8Array | undefined,
    { key, cancels }: Idempotency,
  ): Omit<Call, 'signal'> => ({
    contract: contract.id,
    operation: operation.name,
    input: { kind: 'rest', ...inputOf(request, body) },
    want: 'bytes',
    deadlineMs: deps.clock.monotonic() + operation.timeoutMs,
    caller: request.caller,
    from: 'gateway',
    trace: childSpan(request.trace),
    key,
    ...(cancels === undefined ? {} : { cancels }),
  })

  return {
    method,
    template: path,
    place: `${label}, exposed by expose(${contract.name}${spec.prefix === '' ? '' : `, { prefix: '${spec.prefix}' }`})`,
    operation: label,
    target: 'operation',
    access: operation.access ?? { kind: 'signed-in' },
    allowInPath: spec.allowInPath,
    cost: spec.cost,
    policies: spec.policies,
    async answer(request) {
      const idempotency = readIdempotency(request)
      const body = await readOperationBody(request, binding, operation.bodyMaxBytes)
      const call = callOf(request, body, idempotency)
      const reply = await awaitReply(deps.send, call, deps.clock, [request.http.signal])
      if (!reply.ok) throw new Refused(reply.problem, fixed)
      return toResponse(reply, exposed, fixed)
    },
  }
}

interface Idempotency {
  readonly key: string | undefined
  /** Work of this caller that is undone: calls under keys derived from its own do nothing any more. */
  readonly cancels: string | undefined
}

/** @throws Refused */
function readIdempotency({ headers }: EdgeRequest): Idempotency {
  const read = readIdempotencyKey(headers.get('idempotency-key'))
  if (!read.ok) throw refused('invalid_input', { detail: read.detail })
  const cancels = headers.get('idempotency-cancels')
  if (cancels !== undefined && !isWorkId(cancels)) {
    throw refused('invalid_input', { detail: 'Idempotency-Cancels names no work' })
  }
  return {
    key: read.key === undefined ? undefined : keyFromOutside(read.key),
    cancels: cancels === undefined ? undefined : workFromOutside(cancels),
  }
}

/** The service's serialised reply as it is. */
function toResponse(
  reply: Extract<Reply, { ok: true }>,
  { operation }: ExposedOperation,
  fixed: HeaderFields,
): HttpResponse {
  const own = Object.entries(reply.headers ?? {}).filter(([name]) => !reserved.test(name))
  const headers: HeaderFields = [...own, ...fixed]
  const { body, status } = reply
  if (body.kind === 'empty') return { status, headers }
  if (body.kind === 'bytes') {
    return { status, headers: [['Content-Type', body.contentType], ...headers], body: body.bytes }
  }
  const written = compileOperation(operation).serializeOutput(body.value, status)
  if (!written.ok) throw refused('bad_reply', { errors: written.faults })
  return { status, headers: [['Content-Type', written.contentType], ...headers], body: written.bytes }
}

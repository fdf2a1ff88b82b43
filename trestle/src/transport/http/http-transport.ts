import { idOf } from '../../call/once-work.ts'
import { codeOfAbort, deadlinePassed } from '../../call/abort-reason.ts'
import type { Call, Reply, Transport } from '../../call/call.ts'
import { compileOperation } from '../../contract/compile-operation.ts'
import type { RestRequest } from '../../contract/compiled.ts'
import type { AnyContract } from '../../contract/contract.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'
import type { ClientResponse, HeaderFields, HttpClient } from '../../http/message.ts'
import { type Clock, systemClock } from '../../std/clock.ts'
import { formatTraceparent } from '../../std/trace-context.ts'
import { failed } from './failed.ts'
import { codeOfHttpError } from './http-error-code.ts'
import { readReply } from './read-reply.ts'
import { writeRequest } from './write-request.ts'

export interface HttpTransportOptions {
  readonly contract: AnyContract
  /** Where the service is, with the path that its routes start from: `https://api.example.com/v2`. */
  readonly url: string
  readonly client: HttpClient
  /** Sent with every request: a credential, for instance. */
  readonly headers?: Readonly<Record<string, string>>
  readonly clock?: Clock
  /** Largest body of a reply; default 16 MiB. */
  readonly replyMaxBytes?: number
}

/** What is the same for every call. */
interface Upstream {
  readonly contract: AnyContract
  readonly origin: string
  /** Without the last slash. */
  readonly basePath: string
  readonly client: HttpClient
  readonly headers: HeaderFields
  readonly clock: Clock
  readonly replyMaxBytes: number
}

/**
 * Calls a service that is not Trestle's by the REST binding of its contract. The caller's identity stays here: a foreign
 * service is told who asks only by `headers`. Redirects are not followed, and replies are checked against the contract.
 * @throws TypeError when `url` is no http or https URL, or has a query or a fragment
 * @example httpTransport({ contract: rates, url: 'https://rates.example.com', client, headers: { authorization } })
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  const { origin, basePath } = parseUrl(options.url)
  const { contract, client, headers = {}, clock = systemClock, replyMaxBytes = 16 * 1_048_576 } = options
  const upstream = { contract, origin, basePath, client, headers: Object.entries(headers), clock, replyMaxBytes }
  let closed = false
  return {
    async send(call) {
      if (closed) return failed('unavailable', call, { retryAfterMs: 1_000 })
      try {
        return await ask(upstream, call)
      } catch {
        // A fault of ours, such as a schema that cannot be compiled.
        return failed('internal', call)
      }
    },
    async close() {
      closed = true
    },
  }
}

function parseUrl(text: string): { origin: string; basePath: string } {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new TypeError(`${JSON.stringify(text)} is not the URL of a service: write http(s)://host[:port][/path]`)
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') }
}

async function ask(upstream: Upstream, call: Call): Promise<Reply> {
  const { contract, clock } = upstream
  const operation = Object.hasOwn(contract.operations, call.operation) ? contract.operations[call.operation] : undefined
  if (operation?.rest === undefined || call.contract !== contract.id) {
    return failed('not_implemented', call, { detail: `${contract.id} has no route for ${call.operation}` })
  }
  const compiled = compileOperation(operation)
  const written = writeRequest(compiled, call)
  if (!written.ok) return written
  if (call.signal.aborted) return failed(codeOfAbort(call.signal.reason), call)
  const leftMs = call.deadlineMs - clock.monotonic()
  if (leftMs <= 0) return failed('deadline_exceeded', call)

  const abort = new AbortController()
  const cancel = (): void => abort.abort(call.signal.reason)
  call.signal.addEventListener('abort', cancel)
  const timer = clock.setTimeout(() => abort.abort(deadlinePassed()), leftMs)
  try {
    const response = await request(upstream, call, written.request, leftMs, abort.signal)
    return await readReply(compiled, call, response, upstream.replyMaxBytes)
  } catch (error) {
    return failed(codeOf(error, abort.signal), call, { detail: detailOf(error) })
  } finally {
    timer.cancel()
    call.signal.removeEventListener('abort', cancel)
  }
}

function request(
  { client, origin, basePath, headers }: Upstream,
  call: Call,
  { method, target, headers: bound, contentType, body }: RestRequest,
  leftMs: number,
  signal: AbortSignal,
): Promise<ClientResponse> {
  const fields: (readonly [string, string])[] = [
    ['accept', 'application/json, application/problem+json, */*;q=0.5'],
    ...Object.entries(bound),
    ...headers,
    ['traceparent', formatTraceparent(call.trace)],
  ]
  if (call.trace.state !== undefined) fields.push(['tracestate', call.trace.state])
  if (call.key !== undefined) fields.push(['idempotency-key', call.key])
  if (call.cancels !== undefined) fields.push(['idempotency-cancels', `~${idOf(call.cancels)}`])
  if (contentType !== undefined) fields.push(['content-type', contentType])
  const sent = { method, origin, target: basePath + target, headers: fields, signal, timeoutMs: Math.ceil(leftMs) }
  return client.request(body === undefined ? sent : { ...sent, body })
}

function codeOf(error: unknown, signal: AbortSignal): PlatformCode {
  return signal.aborted ? codeOfAbort(signal.reason) : codeOfHttpError(error)
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

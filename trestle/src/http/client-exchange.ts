import type { ClientConnection } from './client-connection.ts'
import { UpstreamResponse } from './client-response.ts'
import { type ClientRequest, type ClientResponse, HttpError } from './message.ts'
import { type RequestHead, requestHead } from './request-head.ts'

/** Where a request stands: without a connection, waiting for one to be made, sent, answered, over. */
type Stage = 'waiting' | 'connecting' | 'sent' | 'answered' | 'over'

/** Asking again changes nothing more. Source: RFC 9110, section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** One request on its way to its reply; it ends once, whoever ends it. */
export class ClientExchange {
  readonly request: ClientRequest
  readonly head: RequestHead
  stage: Stage = 'waiting'
  /** Asked a second time already. */
  repeated = false
  readonly #resolve: (response: ClientResponse) => void
  readonly #reject: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  readonly #timeoutMs: number
  readonly #idleTimeoutMs: number
  #connection: ClientConnection | undefined
  #response: UpstreamResponse | undefined
  #leave: (() => void) | undefined
  readonly #onAbort = () => this.#aborted()

  /** @throws TypeError for what is no request */
  constructor(
    request: ClientRequest,
    timeoutMs: number,
    idleTimeoutMs: number,
    settle: { readonly resolve: (response: ClientResponse) => void; readonly reject: (error: unknown) => void },
  ) {
    this.request = request
    this.head = requestHead(request)
    this.#resolve = settle.resolve
    this.#reject = settle.reject
    this.#timeoutMs = timeoutMs
    this.#idleTimeoutMs = idleTimeoutMs
    this.#timer = setTimeout(() => this.#late(), timeoutMs)
    request.signal?.addEventListener('abort', this.#onAbort)
    if (request.signal?.aborted === true) this.#aborted()
  }

  get over(): boolean {
    return this.stage === 'over'
  }

  /** While it waits: how to take it out of where it waits. */
  waits(stage: 'waiting' | 'connecting', leave: () => void): void {
    this.stage = stage
    this.#leave = leave
  }

  sentOn(connection: ClientConnection): void {
    this.stage = 'sent'
    this.#leave = undefined
    this.#connection = connection
  }

  /** Whether the same can be asked on a fresh connection, when the one it was sent on broke without a byte of a reply. */
  get repeatable(): boolean {
    const { body, method } = this.request
    const whole = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    return whole && !this.repeated && this.stage === 'sent' && idempotent.has(method)
  }

  answered(status: number, raw: string[], connection: ClientConnection): void {
    this.stage = 'answered'
    clearTimeout(this.#timer)
    this.#response = new UpstreamResponse(status, raw, connection, this.#idleTimeoutMs)
    this.#resolve(this.#response)
  }

  data(chunk: Uint8Array): void {
    this.#response?.push(chunk)
  }

  /** The whole reply has come. */
  ended(): void {
    this.#over()
    this.#response?.end()
  }

  /** There will be no reply, or no more of it. */
  fail(error: unknown): void {
    if (this.over) return
    const { stage } = this
    this.#over()
    if (stage !== 'answered') this.#reject(error)
    else this.#response?.fail(error instanceof HttpError ? error : new HttpError('reset', 'The request broke off'))
  }

  #over(): void {
    this.stage = 'over'
    clearTimeout(this.#timer)
    this.request.signal?.removeEventListener('abort', this.#onAbort)
  }

  #late(): void {
    const { origin } = this.request
    this.#stop(
      this.stage === 'waiting'
        ? new HttpError('overloaded', `No connection to ${origin} became free in time`)
        : new HttpError('timeout', `No reply from ${origin} within ${this.#timeoutMs} ms`),
    )
  }

  #aborted(): void {
    const reason: unknown = this.request.signal?.reason
    const ours = reason instanceof HttpError
    this.#stop(ours ? reason : new HttpError('aborted', 'The request was given up', { cause: reason }))
  }

  #stop(error: HttpError): void {
    const leave = this.#leave
    const connection = this.#connection
    this.fail(error)
    leave?.()
    connection?.destroy()
  }
}

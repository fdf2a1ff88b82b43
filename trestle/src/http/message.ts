import type { PlatformCode } from '../contract/platform-errors.ts'

/** Header fields in order of arrival; names compare without case. */
export interface Headers {
  /** The value of the only field of that name; fields that repeat are joined with `, `. */
  get(name: string): string | undefined
  /** Every field of that name, one by one. */
  getAll(name: string): readonly string[]
  has(name: string): boolean
  /** Name (lower case) and value of each field. */
  entries(): Iterable<readonly [name: string, value: string]>
  /** The same, without an object for each. */
  forEach(visit: (name: string, value: string) => void): void
}

/** A request as the engine hands it over: limits kept, nothing interpreted. */
export interface HttpRequest {
  readonly method: string
  /** The request target as sent: origin form, absolute form or `*`. */
  readonly target: string
  readonly headers: Headers
  readonly body: RequestBody
  readonly remoteAddress: string
  readonly encrypted: boolean
  /** Aborts when the client goes away before the reply has been sent. */
  readonly signal: AbortSignal
  /** The same, for those who only want to be told: costs less than a signal. */
  readonly gone?: Abort
}

/** What of an abort signal is needed to be told by it. */
export interface Abort {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', told: () => void): void
  removeEventListener(type: 'abort', told: () => void): void
}

export interface RequestBody {
  /** Whether the request has one (`Content-Length` > 0 or `Transfer-Encoding`). */
  readonly present: boolean
  /**
   * The whole body.
   * @throws HttpError `body_too_large` beyond `maxBytes`, `body_timeout` when it stalls, `aborted` when the client goes away
   */
  bytes(maxBytes: number): Promise<Uint8Array>
  /** The body as it comes, with back-pressure; may be taken once. */
  stream(): AsyncIterable<Uint8Array>
}

export type HeaderFields = readonly (readonly [name: string, value: string])[]

/** A reply. The engine adds `Date`, `Content-Length` or chunking and `Connection`. */
export interface HttpResponse {
  readonly status: number
  readonly headers: HeaderFields
  /** A stream is sent with back-pressure and stopped when the client goes away. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
}

export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

export interface HttpLimits {
  /** Default 8 KiB: 414. */
  readonly requestLineMaxBytes?: number
  /** Default 32 KiB: 431. */
  readonly headersMaxBytes?: number
  /** Default 100: 431. */
  readonly headersMaxCount?: number
  /** Default 10,000: 408. */
  readonly headersTimeoutMs?: number
  /** Default 30,000 without a byte of the body: 408. */
  readonly bodyIdleTimeoutMs?: number
  /** Default 75,000. */
  readonly keepAliveTimeoutMs?: number
  /** Default 10,000; beyond: 503 and close. */
  readonly connectionsMax?: number
  /** Default 10,000; then `Connection: close`. */
  readonly requestsPerConnectionMax?: number
}

export interface ServeOptions {
  readonly handler: HttpHandler
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly limits?: HttpLimits
  /** Told about what a handler threw; the client got a 500 that says nothing of it. */
  readonly onHandlerError?: (error: unknown, request: HttpRequest) => void
  /** Told of each refusal that no handler saw: a malformed head, one that is too large or too late, a connection too many.
   * What it gives is added to the headers of the reply. Must not throw. */
  readonly onRefusal?: OnRefusal
}

export type OnRefusal = (refused: RefusedRequest) => HeaderFields

/** What the engine refused by itself. */
export interface RefusedRequest {
  readonly code: PlatformCode
  readonly status: number
  /** Address of the peer; empty when it has gone. */
  readonly remoteAddress: string
}

export interface HttpServer {
  readonly host: string
  readonly port: number
  /** Stops accepting, finishes what runs with `Connection: close`, cuts what is left after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Cuts everything now. */
  close(): Promise<void>
}

export interface ClientRequest {
  readonly method: string
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string
  /** Path and query. */
  readonly target: string
  readonly headers: HeaderFields
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
  readonly signal?: Abort
  /** Until the head of the reply has come; default 30,000. */
  readonly timeoutMs?: number
  /** Without a byte of the reply's body; default: the client's. */
  readonly bodyIdleTimeoutMs?: number
}

export interface ClientResponse {
  readonly status: number
  readonly headers: Headers
  /** The whole body when it has come already and nobody has begun to read it; then it is taken. */
  arrived?(): Uint8Array | undefined
  /** The whole body, or `HttpError` `body_too_large`. */
  bytes(maxBytes: number): Promise<Uint8Array>
  stream(): AsyncIterable<Uint8Array>
  /** Throws the rest of the body away and gives the connection back or up. */
  discard(): Promise<void>
}

export interface HttpClientOptions {
  /** Per origin; default 4,096: a stream takes one for as long as it lasts. */
  readonly connectionsMax?: number
  /** Default 1,000. */
  readonly connectTimeoutMs?: number
  /** Without a byte of the reply's body; default 30,000. */
  readonly bodyIdleTimeoutMs?: number
  /** An idle connection is closed after this; default 4,000. */
  readonly idleTimeoutMs?: number
  /** Requests waiting for a connection per origin; default 1,024, beyond: `overloaded`. */
  readonly waitingMax?: number
  /** The addresses of a host name, to which alone it then connects; default: what the system's resolver says. */
  readonly resolve?: Resolve
  /** Certificates that are trusted, as PEM; default: those that this computer trusts. */
  readonly ca?: string
}

/** Host name to addresses; rejects when there are none or they must not be used. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export interface HttpClient {
  /** @throws HttpError with a code that says whether anything was sent */
  request(request: ClientRequest): Promise<ClientResponse>
  close(): Promise<void>
}

export type HttpErrorCode =
  /** Nothing was sent: certainly not processed. */
  | 'connect_failed'
  /** The certificate is none that is trusted, or is another server's; nothing was sent either. */
  | 'untrusted'
  | 'overloaded'
  /** Something was sent and no whole reply came. */
  | 'reset'
  | 'timeout'
  | 'bad_response'
  | 'body_too_large'
  | 'body_timeout'
  | 'aborted'
  /** Of `guardedHttp`: this is no place to go to. Nothing was sent there. */
  | 'address_refused'
  | 'redirect_refused'
  /** Of `serve`: somebody else listens there, or the address cannot be listened on. */
  | 'port_in_use'
  | 'listen_failed'

export class HttpError extends Error {
  readonly code: HttpErrorCode
  constructor(code: HttpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'HttpError'
    this.code = code
  }
}

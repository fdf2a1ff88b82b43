import type { IncomingMessage, ServerResponse } from 'node:http'
import { headersFrom } from './header-list.ts'
import { IncomingBody } from './incoming-body.ts'
import { type Abort, type Headers, HttpError, type HttpRequest } from './message.ts'

/** One request on its way through a handler, and the reply that it will get. */
export class Exchange implements HttpRequest, Abort {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly body: IncomingBody
  readonly remoteAddress: string
  readonly encrypted: boolean
  /** The connection closes after this reply. */
  last = false
  /** Somebody else has answered on this connection: what the handler says is dropped. */
  detached = false
  #abort: AbortController | undefined
  #told: Set<() => void> | undefined
  /** The client has gone. */
  aborted = false

  constructor(req: IncomingMessage, res: ServerResponse, bodyIdleTimeoutMs: number, expectsContinue: 'yes' | 'no') {
    this.req = req
    this.res = res
    this.method = req.method ?? ''
    this.target = req.url ?? ''
    this.headers = headersFrom(req.rawHeaders)
    this.body = new IncomingBody(
      req,
      this.headers,
      bodyIdleTimeoutMs,
      expectsContinue === 'yes' ? () => res.writeContinue() : undefined,
    )
    this.remoteAddress = plainAddress(req.socket.remoteAddress)
    this.encrypted = 'encrypted' in req.socket
  }

  /** Made when somebody asks: most handlers never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.aborted) this.#abort.abort(gone())
    return this.#abort.signal
  }

  get gone(): Abort {
    return this
  }

  get reason(): unknown {
    return this.aborted ? gone() : undefined
  }

  addEventListener(_type: 'abort', told: () => void): void {
    this.#told ??= new Set()
    this.#told.add(told)
  }

  removeEventListener(_type: 'abort', told: () => void): void {
    this.#told?.delete(told)
  }

  /** The client went away before the whole reply was sent. */
  abort(): void {
    if (this.aborted) return
    this.aborted = true
    this.#abort?.abort(gone())
    for (const told of this.#told ?? []) told()
  }
}

const gone = () => new HttpError('aborted', 'The client went away')

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}

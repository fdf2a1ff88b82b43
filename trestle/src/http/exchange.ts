import type { IncomingMessage, ServerResponse } from 'node:http'
import { headersFrom } from './header-list.ts'
import { IncomingBody } from './incoming-body.ts'
import { type Headers, HttpError, type HttpRequest } from './message.ts'

/** One request on its way through a handler, and the reply that it will get. */
export class Exchange implements HttpRequest {
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
  #gone = false

  constructor(req: IncomingMessage, res: ServerResponse, bodyIdleTimeoutMs: number, expectsContinue: 'yes' | 'no') {
    this.req = req
    this.res = res
    this.method = req.method ?? ''
    this.target = req.url ?? ''
    this.headers = headersFrom(req.rawHeaders)
    this.body = new IncomingBody(
      req,
      bodyIdleTimeoutMs,
      expectsContinue === 'yes' ? () => res.writeContinue() : undefined,
    )
    this.remoteAddress = plainAddress(req.socket.remoteAddress)
    this.encrypted = 'encrypted' in req.socket
  }

  /** Made when somebody asks: most handlers never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#gone) this.#abort.abort(gone())
    return this.#abort.signal
  }

  /** The client went away before the whole reply was sent. */
  abort(): void {
    this.#gone = true
    this.#abort?.abort(gone())
  }
}

const gone = () => new HttpError('aborted', 'The client went away')

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}

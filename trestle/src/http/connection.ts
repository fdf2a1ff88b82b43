import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { checkRequest } from './check-request.ts'
import { Exchange } from './exchange.ts'
import { lingerMs, pipelinedMax } from './limits.ts'
import {
  type HeaderFields,
  type HttpHandler,
  type HttpResponse,
  type HttpLimits,
  HttpError,
  type HttpRequest,
  type OnRefusal,
} from './message.ts'
import { announce, type Refusal, refusalBytes, refusalResponse } from './refusal.ts'
import { codeOfThrown, sendResponse } from './send-response.ts'

export interface ConnectionOptions {
  readonly handler: HttpHandler
  readonly limits: Required<HttpLimits>
  readonly onHandlerError: (error: unknown, request: HttpRequest) => void
  readonly onRefusal: OnRefusal
  readonly draining: () => boolean
}

/** One client's connection: its requests are handled one after the other, in the order in which they came. */
export class Connection {
  readonly socket: Socket
  readonly #options: ConnectionOptions
  readonly #waiting: Exchange[] = []
  readonly #answers = new WeakMap<Exchange, HttpHandler>()
  #running: Exchange | undefined
  #accepted = 0
  /** Nothing more is accepted: the last reply closes the connection. */
  #closing = false
  #lastWords: Refusal | undefined

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket
    this.#options = options
    socket.once('close', () => this.#gone())
    socket.once('end', () => this.#gone())
  }

  get idle(): boolean {
    return this.#running === undefined
  }

  accept(req: IncomingMessage, res: ServerResponse, expects: 'continue' | 'other' | 'nothing'): void {
    if (this.#closing) return
    this.#accepted += 1
    const { limits } = this.#options
    const exchange = new Exchange(req, res, limits.bodyIdleTimeoutMs, expects === 'continue' ? 'yes' : 'no')
    const full = this.#accepted >= limits.requestsPerConnectionMax || this.#waiting.length + 1 >= pipelinedMax
    const refusal =
      expects === 'other'
        ? { code: 'expectation_failed' as const, detail: 'Only 100-continue can be expected' }
        : checkRequest(req, limits)
    if (full || refusal !== undefined || asksToUpgrade(exchange)) {
      exchange.last = true
      this.#closing = true
    }
    const answer = refusal === undefined ? this.#options.handler : () => this.#refusal(refusal)
    if (this.#running === undefined) void this.#run(exchange, answer)
    else this.#queue(exchange, answer)
  }

  #queue(exchange: Exchange, answer: HttpHandler): void {
    this.#waiting.push(exchange)
    this.#answers.set(exchange, answer)
    this.socket.pause()
  }
  async #run(exchange: Exchange, answer: HttpHandler): Promise<void> {
    this.#running = exchange
    try {
      await this.#reply(exchange, answer)
    } catch (error) {
      // The head has gone out already: only a reset tells the client, whatever its version, that the reply is not whole.
      this.#report(error, exchange)
      this.#reset()
    }
    this.#running = undefined
    this.#next()
  }

  async #reply(exchange: Exchange, answer: HttpHandler): Promise<void> {
    const { bodyIdleTimeoutMs } = this.#options.limits
    try {
      const response = await answer(exchange)
      if (this.#options.draining()) exchange.last = true
      await sendResponse(exchange, response, bodyIdleTimeoutMs)
    } catch (error) {
      if (exchange.res.headersSent) throw error
      const code = codeOfThrown(error)
      if (code === 'internal') this.#report(error, exchange)
      if (code === 'aborted') return void this.socket.destroy()
      const detail = code === 'internal' ? 'The request could not be answered' : (error as HttpError).message
      await sendResponse(exchange, this.#refusal({ code, detail }), bodyIdleTimeoutMs)
    }
  }

  /** At once. Once our side is ended a reset fails and leaves the socket open for good; the client has gone then anyway. */
  #reset(): void {
    if (!this.socket.writableEnded) this.socket.resetAndDestroy()
    this.socket.destroy()
  }

  #report(error: unknown, exchange: Exchange): void {
    if (!(error instanceof HttpError && error.code === 'aborted')) this.#options.onHandlerError(error, exchange)
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) {
      void this.#run(next, this.#answers.get(next) as HttpHandler)
    } else if (this.#lastWords !== undefined) {
      this.sayAndClose(this.#lastWords)
    } else if (this.#waiting.length === 0 && !this.socket.destroyed && this.socket.isPaused()) {
      this.socket.resume()
    }
  }

  /** The parser gave up: whatever was whole before is answered first, then the refusal, then nothing. */
  refuse(refusal: Refusal): void {
    if (this.#lastWords !== undefined) return
    this.#closing = true
    this.#lastWords = refusal
    const broken = this.#waiting.at(-1) ?? this.#running
    if (broken?.body.pending === true) this.#drop(broken, refusal)
    if (this.#running === undefined || this.#running.detached) this.sayAndClose(refusal)
  }

  /** The request whose body is malformed: its handler is told, and its reply is ours. */
  #drop(broken: Exchange, refusal: Refusal): void {
    broken.detached = true
    if (broken === this.#running && broken.res.headersSent) return void this.socket.destroy()
    if (broken !== this.#running) this.#waiting.pop()
    broken.abort()
    broken.body.reject(new HttpError('aborted', refusal.detail))
  }

  sayAndClose(refusal: Refusal): void {
    this.#closing = true
    if (this.socket.writable) this.socket.end(refusalBytes(refusal, this.#announce(refusal)))
    const timer = setTimeout(() => this.socket.destroy(), lingerMs)
    this.socket.once('close', () => clearTimeout(timer)).resume()
  }

  #refusal(refusal: Refusal): HttpResponse {
    return refusalResponse(refusal, this.#announce(refusal))
  }

  #announce(refusal: Refusal): HeaderFields {
    return announce(this.#options.onRefusal, refusal, this.socket.remoteAddress)
  }

  #gone(): void {
    this.#running?.abort()
    for (const exchange of this.#waiting.splice(0)) exchange.abort()
  }
}

/**
 * We answer such a request as if it did not ask. The parser may lose what came in one piece behind it, so nothing behind it
 * is taken for a request: replies would be those of other requests.
 */
function asksToUpgrade({ headers }: Exchange): boolean {
  return headers.get('upgrade') !== undefined && /upgrade/i.test(headers.get('connection') ?? '')
}

import type { Socket } from 'node:net'
import type { ClientExchange } from './client-exchange.ts'
import { HttpError } from './message.ts'
import { ReplyParser } from './reply-parser.ts'
import { sendBody } from './send-body.ts'

/** Whose connection it is. */
export interface ConnectionOwner {
  /** It can take a further request. */
  free(connection: ClientConnection): void
  /** It is gone; the request that it had can be asked again, when there is one. */
  closed(connection: ClientConnection, unanswered: ClientExchange | undefined): void
}

/** One connection to an upstream: one request at a time, the next one after the whole reply. */
export class ClientConnection {
  readonly socket: Socket
  readonly #owner: ConnectionOwner
  readonly #parser: ReplyParser
  #exchange: ClientExchange | undefined
  /** The request's body is not out yet. */
  #sending = false
  #served = 0
  /** A byte of the present reply has come. */
  #touched = false
  /** While it is free: when it is too old for a further request, `performance.now()`. */
  freeUntil = 0

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket
    this.#owner = owner
    this.#parser = new ReplyParser({
      head: (status, raw) => this.#exchange?.answered(status, raw, this),
      data: (chunk) => this.#exchange?.data(chunk),
      end: () => this.#ended(),
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#finish())
    socket.on('error', (error) => this.#broken(error))
    socket.on('close', () => this.#broken(undefined))
  }

  send(exchange: ClientExchange): void {
    const { request, head } = exchange
    const { body } = request
    this.#exchange = exchange
    this.#touched = false
    this.#parser.expect(request.method)
    exchange.sentOn(this)
    if (body === undefined || head.length === 0) {
      this.socket.write(head.text, 'latin1')
    } else if (typeof body === 'string' || body instanceof Uint8Array) {
      this.socket.cork()
      this.socket.write(head.text, 'latin1')
      this.socket.write(body)
      this.socket.uncork()
    } else {
      this.#sending = true
      this.socket.write(head.text, 'latin1')
      void this.#stream(exchange, body)
    }
  }

  /** How long the upstream keeps it, if it says so. */
  get keepAliveMs(): number | undefined {
    return this.#parser.keepAliveMs
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  abandon(error: HttpError): void {
    this.#exchange?.fail(error)
    this.destroy()
  }

  destroy(): void {
    this.socket.destroy()
  }

  async #stream(exchange: ClientExchange, body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      await sendBody(this.socket, body, exchange.head.length, () => exchange.over)
      this.#sending = false
    } catch (error) {
      // The client's own body broke off: the upstream must not take what it has for the whole.
      exchange.fail(error)
      this.destroy()
    }
  }

  #read(chunk: Buffer): void {
    this.#touched = true
    if (this.#exchange === undefined) return this.destroy()
    try {
      this.#parser.execute(chunk)
    } catch (error) {
      this.#exchange?.fail(error)
      return this.destroy()
    }
    // Only now: what else came in this piece must not be taken for the reply to the next request.
    if (this.#exchange === undefined) this.#release()
  }

  #ended(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#served += 1
    exchange?.ended()
  }

  #release(): void {
    if (this.#sending || !this.#parser.reusable || this.socket.destroyed) this.destroy()
    else this.#owner.free(this)
  }

  #finish(): void {
    try {
      if (this.#exchange !== undefined) this.#parser.finish()
    } catch (error) {
      this.#broken(error)
    }
    this.destroy()
  }

  #broken(cause: unknown): void {
    this.destroy()
    const exchange = this.#exchange
    this.#exchange = undefined
    const again = this.#served > 0 && !this.#touched && exchange?.repeatable === true
    if (!again) exchange?.fail(new HttpError('reset', 'The connection broke before the reply was whole', { cause }))
    this.#owner.closed(this, again ? exchange : undefined)
  }
}

import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ClientConnection, type ConnectionOwner } from './client-connection.ts'
import type { ClientExchange } from './client-exchange.ts'
import { connectError } from './client-error.ts'
import { HttpError } from './message.ts'

/** How a pool makes and keeps connections. */
export interface PoolOptions {
  readonly connectionsMax: number
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly waitingMax: number
  readonly lookup: LookupFunction | undefined
  /** Certificates that are trusted instead of the usual ones, as PEM. */
  readonly ca: string | undefined
}

/** An upstream that closes when it said it would must not meet a request on its way. */
const keepAliveMarginMs = 500

/**
 * Connections to one origin that are being made, or have been and are not known to be accepted: one is after its first
 * reply, or after a while. A burst waits in line for these and for whoever is done: a thousand at once overflow the line
 * in which a server's system keeps them, and what is dropped there is lost for a second.
 */
const newMax = 64
const newMs = 100

/** The connections to one origin: a bounded number, a bounded line before them; the last used is the next used. */
export class ClientPool implements ConnectionOwner {
  readonly #origin: string
  readonly #url: URL
  readonly #options: PoolOptions
  readonly #free: ClientConnection[] = []
  readonly #open = new Set<Socket>()
  readonly #waiting = new Set<ClientExchange>()
  #connecting = 0
  readonly #new = new Set<ClientConnection>()
  #sweep: NodeJS.Timeout | undefined
  #session: Buffer | undefined
  #closed = false

  constructor(origin: string, options: PoolOptions) {
    this.#origin = origin
    this.#url = new URL(origin)
    this.#options = options
  }

  enter(exchange: ClientExchange): void {
    if (exchange.over) return
    const connection = this.#youngest()
    if (connection !== undefined) return this.#use(connection, exchange)
    if (this.#mayConnect) return this.#connect(exchange)
    const { waitingMax, connectionsMax } = this.#options
    // Those who wait for a connection that may still be made are in nobody's way.
    if (this.#waiting.size >= waitingMax + connectionsMax - this.#open.size) {
      const text = `${this.#waiting.size} requests wait for a connection to ${this.#origin} already`
      return exchange.fail(new HttpError('overloaded', text))
    }
    exchange.waits('waiting', () => this.#waiting.delete(exchange))
    this.#waiting.add(exchange)
  }

  free(connection: ClientConnection): void {
    this.#new.delete(connection)
    const next = this.#next()
    if (next !== undefined) return connection.send(next)
    const { idleTimeoutMs } = this.#options
    const { keepAliveMs = Number.POSITIVE_INFINITY } = connection
    const keptMs = Math.min(idleTimeoutMs, keepAliveMs - keepAliveMarginMs)
    if (keptMs <= 0) return connection.destroy()
    connection.freeUntil = performance.now() + keptMs
    // A connection that waits for work keeps no process alive.
    connection.socket.unref()
    this.#free.push(connection)
    this.#sweep ??= setTimeout(() => this.#closeIdle(), idleTimeoutMs).unref()
  }

  closed(connection: ClientConnection, unanswered: ClientExchange | undefined): void {
    if (!this.#open.delete(connection.socket)) return
    this.#new.delete(connection)
    const at = this.#free.indexOf(connection)
    if (at !== -1) this.#free.splice(at, 1)
    if (unanswered !== undefined && !this.#closed) {
      unanswered.repeated = true
      return this.#connect(unanswered)
    }
    unanswered?.fail(new HttpError('reset', 'The client was closed'))
    this.#refill()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#sweep)
    for (const exchange of this.#waiting) exchange.fail(new HttpError('aborted', 'The client was closed'))
    this.#waiting.clear()
    for (const socket of this.#open) socket.destroy()
  }

  #use(connection: ClientConnection, exchange: ClientExchange): void {
    connection.socket.ref()
    connection.send(exchange)
  }

  #next(): ClientExchange | undefined {
    const [next] = this.#waiting
    if (next !== undefined) this.#waiting.delete(next)
    return next
  }

  get #mayConnect(): boolean {
    return this.#open.size < this.#options.connectionsMax && this.#connecting + this.#new.size < newMax
  }

  /** A place has become free: whoever is next in the line gets a connection of its own. */
  #refill(): void {
    if (this.#closed || !this.#mayConnect) return
    const next = this.#next()
    if (next !== undefined) this.#connect(next)
  }

  /** Where no connection stands, one that failed speaks for all that wait: they need not try one after the other. */
  #unreachable(error: HttpError): void {
    if (this.#open.size > this.#connecting) return
    for (const exchange of this.#waiting) exchange.fail(error)
    this.#waiting.clear()
  }

  #connect(exchange: ClientExchange): void {
    const socket = this.#socket()
    this.#open.add(socket)
    this.#connecting += 1
    exchange.waits('connecting', () => give(new HttpError('aborted', 'The request was given up')))
    let late: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      // After a busy second of our own the connection may stand already: what the system has to say comes first.
      late = setImmediate(() => {
        give(new HttpError('connect_failed', `No connection within ${this.#options.connectTimeoutMs} ms`))
      })
    }, this.#options.connectTimeoutMs)
    const onError = (error: Error) => give(connectError(error))
    const onClose = () => give(new HttpError('connect_failed', 'The connection was closed while it was made'))
    const event = this.#url.protocol === 'https:' ? 'secureConnect' : 'connect'
    const settle = () => {
      clearTimeout(timer)
      clearImmediate(late)
      this.#connecting -= 1
      socket.off('error', onError).off('close', onClose).off(event, onConnect)
    }
    const give = (error: HttpError) => {
      settle()
      socket.on('error', () => undefined)
      socket.destroy()
      this.#open.delete(socket)
      exchange.fail(error)
      if (error.code === 'connect_failed') this.#unreachable(error)
      this.#refill()
    }
    const onConnect = () => {
      settle()
      const connection = new ClientConnection(socket, this)
      if (exchange.over) return this.free(connection)
      this.#new.add(connection)
      setTimeout(() => void (this.#new.delete(connection) && this.#refill()), newMs).unref()
      connection.send(exchange)
    }
    socket.once('error', onError).once('close', onClose).once(event, onConnect)
  }

  #socket(): Socket {
    const { protocol, hostname, port } = this.#url
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const { lookup, ca } = this.#options
    const where = { host, noDelay: true, ...(lookup === undefined ? {} : { lookup }) }
    if (protocol !== 'https:') return connectTcp({ ...where, port: Number(port || 80) })
    const socket = connectTls({
      ...where,
      port: Number(port || 443),
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    })
    socket.on('session', (session) => {
      this.#session = session
    })
    return socket
  }

  /** The one that was used last: the others grow old and are closed. */
  #youngest(): ClientConnection | undefined {
    for (;;) {
      const connection = this.#free.pop()
      // Perhaps closed, and not yet told so.
      if (connection === undefined || (!connection.socket.destroyed && !this.#isOld(connection))) return connection
      connection.destroy()
    }
  }

  #isOld({ freeUntil }: ClientConnection): boolean {
    return freeUntil < performance.now()
  }

  #closeIdle(): void {
    for (const connection of this.#free) if (this.#isOld(connection)) connection.destroy()
    const left = this.#free.some(({ socket }) => !socket.destroyed)
    this.#sweep = left ? setTimeout(() => this.#closeIdle(), this.#options.idleTimeoutMs / 4).unref() : undefined
  }
}

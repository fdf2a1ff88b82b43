import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { Connection, type ConnectionOptions } from './connection.ts'
import { drainGraceMs, withDefaults } from './limits.ts'
import { HttpError, type HttpLimits, type HttpServer, type ServeOptions } from './message.ts'
import { createServer } from './node-http.ts'
import { parserRefusal } from './parser-refusal.ts'
import { announce, refusalBytes, type Refusal } from './refusal.ts'

/** Connections beyond the limit that are told so at once; what comes beyond those is dropped without a word. */
const refusedConnectionsMax = 64

function nodeServer(limits: Required<HttpLimits>): Server {
  const server = createServer({
    // The request line counts as header bytes in node; the exact limits are checked when the head is there.
    maxHeaderSize: limits.requestLineMaxBytes + limits.headersMaxBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(20, Math.min(1_000, limits.headersTimeoutMs / 4)),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // We check Host ourselves, with more care and a problem document.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  })
  // Node drops fields beyond this count silently; 0 keeps them all, bounded by their bytes, and we count.
  server.maxHeadersCount = 0
  server.maxConnections = limits.connectionsMax + refusedConnectionsMax
  return server
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'port_in_use' : 'listen_failed'
      const what =
        code === 'port_in_use' ? 'is in use already' : `cannot be listened on (${cause.code ?? cause.message})`
      reject(new HttpError(code, `${host}:${port} ${what}`, { cause }))
    }
    server.once('error', onError)
    server.listen({ host, port }, () => {
      server.off('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

const tooMany: Refusal = { code: 'overloaded', detail: 'The server has as many connections as it may have' }

/** The connections of a server: who comes in, who is too many, who is left. */
class Connections {
  readonly #open = new Map<Socket, Connection>()
  readonly #options: ConnectionOptions

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  add(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#open.size >= this.#options.limits.connectionsMax) {
      socket.end(refusalBytes(tooMany, announce(this.#options.onRefusal, tooMany, socket.remoteAddress)))
      socket.once('finish', () => socket.destroy())
      return
    }
    this.#open.set(socket, new Connection(socket, this.#options))
    socket.once('close', () => this.#open.delete(socket))
  }

  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket)
  }

  closeIdle(): void {
    for (const connection of this.#open.values()) if (connection.idle) connection.socket.destroy()
  }

  closeAll(): void {
    for (const socket of this.#open.keys()) socket.destroy()
  }
}

function attach(server: Server, connections: Connections, limits: Required<HttpLimits>): void {
  const accept = (expects: 'continue' | 'other' | 'nothing') => (req: IncomingMessage, res: ServerResponse) => {
    res.on('error', () => undefined)
    req.on('error', () => undefined)
    connections.of(req.socket)?.accept(req, res, expects)
  }
  server.on('connection', (socket: Socket) => connections.add(socket))
  server.on('request', accept('nothing'))
  server.on('checkContinue', accept('continue'))
  server.on('checkExpectation', accept('other'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const refusal = parserRefusal(error, limits.requestLineMaxBytes)
    const connection = connections.of(socket as Socket)
    if (refusal === undefined || connection === undefined) socket.destroy()
    else connection.refuse(refusal)
  })
  server.on('connect', (_req: IncomingMessage, socket) => {
    connections.of(socket as Socket)?.sayAndClose({ code: 'not_implemented', detail: 'This is no tunnel' })
  })
}

async function drain(server: Server, connections: Connections, timeoutMs: number): Promise<void> {
  // `close` of an HTTP server cuts quiet connections at once; that of its base only stops to accept.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  // A request that is on its way on a quiet connection is still served; then the connection is closed.
  // After a pause of this process timers come before sockets: what has arrived meanwhile is read first.
  const closeIdle = () => setImmediate(() => connections.closeIdle())
  const grace = setTimeout(closeIdle, Math.min(drainGraceMs, timeoutMs))
  const sweep = setInterval(closeIdle, 1_000)
  const cut = setTimeout(() => connections.closeAll(), timeoutMs)
  await closed
  clearTimeout(grace)
  clearInterval(sweep)
  clearTimeout(cut)
  // Ends the timer that checks connections.
  server.close(() => undefined)
}

/**
 * Serves HTTP/1.1, strictly: what is ambiguous is refused with 400 and the connection closed.
 * @throws HttpError `port_in_use`, `listen_failed`
 * @example const server = await serve({ host: '127.0.0.1', port: 0, handler: () => ({ status: 200, headers: [], body: 'hi' }) })
 */
export async function serve(options: ServeOptions): Promise<HttpServer> {
  const limits = withDefaults(options.limits)
  let draining = false
  const onHandlerError = options.onHandlerError ?? (() => undefined)
  const connections = new Connections({
    handler: options.handler,
    limits,
    onHandlerError,
    onRefusal: options.onRefusal ?? (() => []),
    draining: () => draining,
  })
  const server = nodeServer(limits)
  attach(server, connections, limits)
  const { address, port } = await listen(server, options.host, options.port)
  server.on('error', () => undefined)
  return {
    host: address,
    port,
    drain(timeoutMs) {
      draining = true
      return drain(server, connections, timeoutMs)
    },
    async close() {
      draining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      connections.closeAll()
      await closed
    },
  }
}

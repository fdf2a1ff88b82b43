import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** What a scripted reply may do, once a whole head has come on a connection. */
export interface RecordedRequest {
  /** Head and what came with it, byte for byte (latin1). */
  readonly text: string
  /** Counts the requests of this upstream from 0. */
  readonly number: number
  readonly socket: Socket
}

/** Raw bytes to reply with; whoever wants more control writes to the socket and gives `undefined`. */
export type RawReply = (request: RecordedRequest) => string | undefined

/** A server that writes down the bytes it gets and replies with bytes: for tests of what reaches an upstream. */
export interface RecordingUpstream extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Everything that came on each connection, in the order in which they were made (latin1). */
  readonly connections: readonly string[]
  /** Each request that came whole: head, empty line, body (latin1). */
  readonly requests: readonly string[]
  /** Forgets what came. */
  clear(): void
  /** What is replied from now on. */
  reply: RawReply
  /** Open now. */
  readonly sockets: ReadonlySet<Socket>
  stop(): Promise<void>
}

/** A reply with a body of a known length. */
export function rawReply(body: string, headers = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`
}

const ok: RawReply = () => rawReply('ok')

/**
 * Starts one on a free port of the loopback.
 * @example await using upstream = await recordingUpstream(() => rawReply('hi', 'X-A: b\r\n'))
 */
export async function recordingUpstream(
  reply: RawReply = ok,
  tls?: { readonly key: string; readonly cert: string },
): Promise<RecordingUpstream> {
  const connections: { text: string }[] = []
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const onSocket = (socket: Socket) => {
    const connection = { text: '' }
    connections.push(connection)
    let unread = ''
    sockets.add(socket)
    socket.setEncoding('latin1').setNoDelay(true)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: string) => {
      connection.text += chunk
      unread += chunk
      for (let end = endOfMessage(unread); end !== -1; end = endOfMessage(unread)) {
        const text = unread.slice(0, end)
        unread = unread.slice(end)
        const number = requests.push(text) - 1
        const bytes = recorder.reply({ text, number, socket })
        if (bytes !== undefined && socket.writable) socket.write(bytes, 'latin1')
      }
    })
  }
  const server: Server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  const recorder: RecordingUpstream = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    get connections() {
      return connections.map(({ text }) => text)
    },
    requests,
    clear() {
      connections.length = 0
      requests.length = 0
    },
    reply,
    sockets,
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return recorder
}

/** Where the first request ends: after its head, or after the body that its head announces; -1: not yet. */
function endOfMessage(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return -1
  const start = head + 4
  const fields = text.slice(0, head)
  const length = /^content-length: *(\d+)/im.exec(fields)?.[1]
  if (length !== undefined) return text.length >= start + Number(length) ? start + Number(length) : -1
  if (!/^transfer-encoding: *chunked/im.test(fields)) return start
  const end = text.indexOf('0\r\n\r\n', start)
  return end === -1 ? -1 : end + 5
}

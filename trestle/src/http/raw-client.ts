import { connect, type Socket } from 'node:net'

/** A connection that sends bytes as they are; for tests of what an HTTP client would never send. */
export interface RawClient {
  readonly socket: Socket
  send(text: string): void
  /** Everything that has come so far. */
  received(): string
  /** Resolves when what has come contains `text`; rejects when the connection closes first, or after 10 s. */
  until(text: string, times?: number): Promise<string>
  /** Everything, once the server has closed the connection. */
  closed(): Promise<string>
  end(): void
}

const waitMs = 10_000

/** Opens a connection. */
export function rawClient(port: number): RawClient {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  let over = false
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    got += chunk
    changed()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    over = true
    changed()
  })
  const when = (holds: () => boolean, hopeless: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`waited in vain; got ${JSON.stringify(got)}`))),
        waitMs,
      )
      const settle = (done: () => void) => {
        clearTimeout(timer)
        watchers.delete(look)
        done()
      }
      const look = () => {
        if (holds()) settle(() => resolve(got))
        else if (hopeless()) settle(() => reject(new Error(`closed too early; got ${JSON.stringify(got)}`)))
      }
      watchers.add(look)
      look()
    })
  return {
    socket,
    send: (text) => void socket.write(text, 'latin1'),
    received: () => got,
    until: (text, times = 1) =>
      when(
        () => got.split(text).length > times,
        () => over,
      ),
    closed: () =>
      when(
        () => over,
        () => false,
      ),
    end: () => void socket.destroy(),
  }
}

/** Sends `text` on a connection of its own; all that came back when the server closed it. */
export async function rawExchange(port: number, text: string): Promise<string> {
  const client = rawClient(port)
  client.send(text)
  return await client.closed()
}

/** Statuses of the replies in what came back, in order. */
export function statusesOf(received: string): readonly number[] {
  return [...received.matchAll(/(?:^|[^A-Za-z])HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}

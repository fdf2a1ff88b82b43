import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../../call/instance.ts'

// The only place that knows what kind of socket a link runs over; TLS joins here.

/** Starts to connect; the socket says `connect` or `error`. */
export function dial(address: Address): Socket {
  const socket = address.kind === 'unix' ? connect({ path: address.path }) : connect(address.port, address.host)
  socket.setNoDelay(true)
  return socket
}

export interface Listening {
  readonly server: Server
  /** With the port that was found free. */
  readonly address: Address
}

/** Listens. A socket file that nobody listens on any more is replaced. */
export async function listen(address: Address, onSocket: (socket: Socket) => void): Promise<Listening> {
  const server = createServer({ noDelay: true }, onSocket)
  try {
    await bind(server, address)
  } catch (error) {
    if (address.kind !== 'unix' || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (await isServed(address)) throw error
    await unlink(address.path)
    await bind(server, address)
  }
  if (address.kind === 'unix') {
    await chmod(address.path, 0o600)
    return { server, address }
  }
  const bound = server.address() as { address: string; port: number }
  return { server, address: { kind: 'tcp', host: address.host, port: bound.port } }
}

function bind(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // `exclusive`: in a worker of node:cluster the socket is this process's own.
    const where = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
    server.listen({ ...where, exclusive: true, backlog: 511 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function isServed(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(address)
    const answer = (served: boolean) => () => {
      socket.destroy()
      resolve(served)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}

export function describeAddress(address: Address): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `tcp:${address.host}:${address.port}`
}

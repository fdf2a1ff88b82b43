import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from './node-http.ts'

/** What libraries for node's own HTTP server give. */
export type NodeCallback = (request: IncomingMessage, response: ServerResponse) => unknown

export interface CallbackServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves a library that is written for node's own HTTP server, on this computer alone: for development and tests. Public
 * servers are made by `serve`, which is stricter.
 * @param open makes the callback once the port is known
 */
export async function serveCallback(
  port: number,
  open: (port: number) => NodeCallback | Promise<NodeCallback>,
): Promise<CallbackServer> {
  const server: Server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  try {
    server.on('request', await open(taken))
  } catch (error) {
    await close()
    throw error
  }
  return { port: taken, close }
}

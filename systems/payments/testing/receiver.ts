import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One delivery as it came. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  // oxlint-disable-next-line typescript/no-explicit-any -- read as a merchant does: untyped JSON
  readonly event: any
}

/** A merchant's endpoint on this machine. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly received: Received[]
  /** What it answers from now on; `hang`: nothing at all. */
  answers(status: number | 'hang'): void
  /** Closes the connections of those that wait. */
  hangUp(): void
}

/** Listens on a free port and acknowledges what comes. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  let status: number | 'hang' = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      received.push({ headers: request.headers, body, event: JSON.parse(body) })
      if (status !== 'hang') response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    answers(next) {
      status = next
    },
    hangUp: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One of several servers that answer alike. */
export interface Replica extends AsyncDisposable {
  readonly url: string
  /** Answers after so many milliseconds from now on. */
  delay(ms: number): void
  /** How many requests it has answered. */
  readonly answered: () => number
  /** What it got with the request whose `x-mine` was this. */
  headersOf(mine: string): IncomingHttpHeaders | undefined
}

/** Starts a plain HTTP server that knows nothing of a gateway. */
export async function startReplica(usualMs: number): Promise<Replica> {
  let delayMs = usualMs
  let answered = 0
  let marked: IncomingHttpHeaders | undefined
  const server = createServer((request, response) => {
    if (request.headers['x-mine'] !== undefined) marked = request.headers
    setTimeout(() => {
      answered += 1
      response.end('{}')
    }, delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delay(ms) {
      delayMs = ms
    },
    answered: () => answered,
    headersOf: (mine) => (marked?.['x-mine'] === mine ? marked : undefined),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

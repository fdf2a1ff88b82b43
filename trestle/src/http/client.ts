import { ClientExchange } from './client-exchange.ts'
import { ClientPool, type PoolOptions } from './client-pool.ts'
import { lookupBy } from './lookup.ts'
import { type ClientResponse, type HttpClient, type HttpClientOptions, HttpError } from './message.ts'

const defaultTimeoutMs = 30_000
const originsMax = 1_024

function poolOptions(options: HttpClientOptions): PoolOptions {
  return {
    connectionsMax: options.connectionsMax ?? 4_096,
    connectTimeoutMs: options.connectTimeoutMs ?? 1_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 4_000,
    waitingMax: options.waitingMax ?? 1_024,
    lookup: options.resolve === undefined ? undefined : lookupBy(options.resolve),
    ca: options.ca,
  }
}

/**
 * Makes a client with one pool of connections per origin. It follows no redirects; it asks again by itself only when a
 * connection that had served before broke without a byte of a reply and the method is idempotent. Every reply's body must
 * be read or discarded: until then it holds its connection.
 * @example const reply = await client.request({ method: 'GET', origin: 'http://127.0.0.1:80', target: '/', headers: [] })
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const settings = poolOptions(options)
  const bodyIdleTimeoutMs = options.bodyIdleTimeoutMs ?? 30_000
  const pools = new Map<string, ClientPool>()
  let closed = false
  const poolOf = (origin: string): ClientPool => {
    let pool = pools.get(origin)
    if (pool === undefined) {
      if (pools.size >= originsMax) throw new HttpError('overloaded', `More than ${originsMax} origins are in use`)
      pools.set(origin, (pool = new ClientPool(origin, settings)))
    }
    return pool
  }
  return {
    request: (request) =>
      new Promise<ClientResponse>((resolve, reject) => {
        if (closed) throw new HttpError('aborted', 'The client has been closed')
        const pool = poolOf(request.origin)
        const { timeoutMs = defaultTimeoutMs, bodyIdleTimeoutMs: idleMs = bodyIdleTimeoutMs } = request
        pool.enter(new ClientExchange(request, timeoutMs, idleMs, { resolve, reject }))
      }),
    async close() {
      closed = true
      for (const pool of pools.values()) pool.close()
    },
  }
}

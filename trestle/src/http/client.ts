import { buildConnector, type Dispatcher, Pool } from 'undici'
import { brokeAfterReuse, markConnectError, markReuse, toHttpError } from './client-error.ts'
import { UpstreamResponse } from './client-response.ts'
import { headersFrom } from './header-list.ts'
import {
  type ClientRequest,
  type ClientResponse,
  type HttpClient,
  type HttpClientOptions,
  HttpError,
} from './message.ts'
import { Places } from './places.ts'

const defaults: Required<HttpClientOptions> = {
  connectionsMax: 256,
  connectTimeoutMs: 1_000,
  bodyIdleTimeoutMs: 30_000,
  idleTimeoutMs: 4_000,
  waitingMax: 1_024,
}
const defaultTimeoutMs = 30_000
const originsMax = 1_024
/** Asking again changes nothing more. Source: RFC 9110, section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])
/** The engine's own. */
const framing = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade', 'te'])

interface Upstream {
  readonly pool: Pool
  readonly places: Places
}

function connector(connectTimeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs })
  return (options, done) =>
    connect(options, (...args) => {
      const [error, socket] = args
      if (error !== null) markConnectError(error)
      else socket?.once('error', (late: Error) => void (socket.bytesRead > 0 && markReuse(late)))
      done(...args)
    })
}

function openUpstream(origin: string, options: Required<HttpClientOptions>): Upstream {
  const pool = new Pool(origin, {
    connections: options.connectionsMax,
    pipelining: 1,
    connect: connector(options.connectTimeoutMs),
    bodyTimeout: options.bodyIdleTimeoutMs,
    // Ours runs from the beginning, waiting and connecting included.
    headersTimeout: 0,
    keepAliveTimeout: options.idleTimeoutMs,
    keepAliveMaxTimeout: options.idleTimeoutMs,
    strictContentLength: true,
  })
  return { pool, places: new Places(options.connectionsMax, options.waitingMax, origin) }
}

function flatHeaders(request: ClientRequest): string[] {
  return request.headers.flatMap(([name, value]) => (framing.has(name.toLowerCase()) ? [] : [name, value]))
}

/** Both lengths, or one twice: where this reply ends is a matter of opinion, and then it is no reply. */
function checkFraming(raw: readonly string[]): void {
  const names = raw.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  const count = (name: string) => names.filter((other) => other === name).length
  if (count('content-length') + count('transfer-encoding') > 1) {
    throw new HttpError('bad_response', 'The reply says its length more than once')
  }
}

async function dispatch(pool: Pool, request: ClientRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { method, target, body } = request
  const response = await pool.request({
    method: method as Dispatcher.HttpMethod,
    path: target,
    headers: flatHeaders(request),
    body: body as Dispatcher.DispatchOptions['body'],
    signal,
    responseHeaders: 'raw',
  } as Parameters<Pool['request']>[0])
  return response as Dispatcher.ResponseData
}

function mayRepeat({ method, body }: ClientRequest, error: unknown, thrown: unknown): boolean {
  const whole = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  return whole && idempotent.has(method) && (error as HttpError).code === 'reset' && brokeAfterReuse(thrown)
}

async function headOf(
  { pool }: Upstream,
  request: ClientRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await dispatch(pool, request, signal)
    } catch (thrown) {
      const error = signal.aborted ? reasonOf(signal) : toHttpError(thrown)
      if (attempt > 0 || signal.aborted || !mayRepeat(request, error, thrown)) throw error
    }
  }
}

function reasonOf(signal: AbortSignal): HttpError {
  const reason: unknown = signal.reason
  return reason instanceof HttpError ? reason : new HttpError('aborted', 'The request was given up', { cause: reason })
}

/** Sends one request; `ended` runs when the reply has ended in any way. */
async function exchange(
  upstream: Upstream,
  request: ClientRequest,
  signal: AbortSignal,
  ended: () => void,
): Promise<ClientResponse> {
  const { statusCode, headers, body } = await headOf(upstream, request, signal)
  // Asked for as 'raw' above.
  const raw = headers as unknown as string[]
  const response = new UpstreamResponse(statusCode, headersFrom(raw), body, ended)
  try {
    checkFraming(raw)
  } catch (error) {
    await response.discard()
    throw error
  }
  return response
}

/** Runs `fn` at the first call and never again. */
function once(fn: () => void): () => void {
  let done = false
  return () => {
    if (!done) fn()
    done = true
  }
}

/**
 * Makes a client with one pool of connections per origin. It follows no redirects; it asks again by itself only when a
 * connection that had served before broke without a reply and the method is idempotent. Every reply's body must be read
 * or discarded: until then it holds its connection.
 * @example const reply = await client.request({ method: 'GET', origin: 'http://127.0.0.1:80', target: '/', headers: [] })
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const settings = { ...defaults, ...options }
  const upstreams = new Map<string, Upstream>()
  const upstreamOf = (origin: string): Upstream => {
    let upstream = upstreams.get(origin)
    if (upstream === undefined) {
      if (upstreams.size >= originsMax) throw new HttpError('overloaded', `More than ${originsMax} origins are in use`)
      upstreams.set(origin, (upstream = openUpstream(origin, settings)))
    }
    return upstream
  }
  return {
    async request(request) {
      const { timeoutMs = defaultTimeoutMs } = request
      const upstream = upstreamOf(request.origin)
      const own = new AbortController()
      const onAbort = () => own.abort(request.signal?.reason)
      if (request.signal?.aborted === true) onAbort()
      request.signal?.addEventListener('abort', onAbort, { once: true })
      const late = () => own.abort(new HttpError('timeout', `No reply from ${request.origin} within ${timeoutMs} ms`))
      const timer = setTimeout(late, timeoutMs)
      let place = 'none'
      const ended = once(() => {
        request.signal?.removeEventListener('abort', onAbort)
        if (place === 'taken') upstream.places.give()
      })
      try {
        await upstream.places.take(own.signal)
        place = 'taken'
        return await exchange(upstream, request, own.signal, ended)
      } catch (error) {
        ended()
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
    async close() {
      await Promise.all([...upstreams.values()].map(({ pool }) => pool.destroy()))
    },
  }
}

import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Exchange } from './exchange.ts'
import { lingerMaxBytes, lingerMs } from './limits.ts'
import { HttpError, type HttpResponse } from './message.ts'

const sliceBytes = 65_536
/** The engine's own: what a handler says about framing is not asked. */
const framing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'trailer', 'te'])
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/

/** The reply's fields as node wants them. @throws TypeError for what would not be one field of a header block */
function flatHeaders(response: HttpResponse, length: number | undefined, closes: boolean): string[] {
  const flat: string[] = []
  for (const [name, value] of response.headers) {
    if (framing.has(name.toLowerCase())) continue
    if (!token.test(name)) throw new TypeError(`${JSON.stringify(name)} is no header name`)
    if (forbiddenInValue.test(value)) throw new TypeError(`The header ${name} has a character that is not allowed`)
    flat.push(name, value)
  }
  if (length !== undefined) flat.push('Content-Length', String(length))
  if (closes) flat.push('Connection', 'close')
  return flat
}

function declaredLength({ headers }: HttpResponse): number | undefined {
  const value = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

function isStream(body: HttpResponse['body']): body is AsyncIterable<Uint8Array> {
  return body !== undefined && typeof body === 'object' && Symbol.asyncIterator in body
}

/** `undefined`: the reply must not say a length (204), or does not know it (a stream). */
function lengthOf(exchange: Exchange, response: HttpResponse): number | undefined {
  if (response.status === 204) return undefined
  if (isStream(response.body)) return exchange.method === 'HEAD' ? declaredLength(response) : undefined
  if (response.body === undefined && (exchange.method === 'HEAD' || response.status === 304)) {
    return declaredLength(response)
  }
  if (response.status === 304) return undefined
  return Buffer.byteLength(response.body ?? '')
}

/**
 * Sends a reply, with back-pressure; resolves when it has been handed to the system or the client has gone away.
 * @throws TypeError before anything is sent, when status or headers are none
 */
export async function sendResponse(exchange: Exchange, response: HttpResponse, idleTimeoutMs: number): Promise<void> {
  const { res } = exchange
  if (!Number.isInteger(response.status) || response.status < 200 || response.status > 599) {
    throw new TypeError(`${response.status} is no status of a reply`)
  }
  if (exchange.body.pending) await settleBody(exchange)
  if (exchange.detached || res.destroyed) return await stop(response.body)
  const headers = flatHeaders(response, lengthOf(exchange, response), exchange.last)
  res.writeHead(response.status, headers)
  const bodiless = exchange.method === 'HEAD' || response.status === 204 || response.status === 304
  if (bodiless) await stop(response.body)
  else if (isStream(response.body)) await pump(res, response.body, idleTimeoutMs)
  else await write(res, response.body, idleTimeoutMs)
  if (exchange.body.pending) await discardRest(exchange)
  await finish(res, idleTimeoutMs)
}

/** A body nobody read may have come already; if it has not, the connection is good for nothing after this reply. */
async function settleBody(exchange: Exchange): Promise<void> {
  exchange.req.resume()
  await nextTurn()
  if (exchange.body.pending) {
    exchange.last = true
    exchange.req.pause()
  }
}

async function write(res: ServerResponse, body: Uint8Array | string | undefined, idleTimeoutMs: number): Promise<void> {
  if (body === undefined || body.length === 0) return
  if (body.length <= sliceBytes / 4) return void res.write(body)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (let at = 0; at < bytes.length && !res.destroyed; at += sliceBytes) {
    if (!res.write(bytes.subarray(at, at + sliceBytes))) await drained(res, idleTimeoutMs)
  }
}

async function pump(res: ServerResponse, body: AsyncIterable<Uint8Array>, idleTimeoutMs: number): Promise<void> {
  const chunks = body[Symbol.asyncIterator]()
  // The source may wait for ever: a client that leaves must not wait with it.
  const gone = new Promise<'gone'>((resolve) => res.once('close', () => resolve('gone')))
  res.flushHeaders()
  for (;;) {
    const next = await Promise.race([chunks.next(), gone])
    if (next === 'gone') return void (await chunks.return?.())
    if (next.done === true) return
    if (next.value.length > 0 && !res.write(next.value)) await drained(res, idleTimeoutMs)
  }
}

/** Waits until the client has read what is buffered; a client that reads nothing is cut. */
function drained(res: ServerResponse, idleTimeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve()
    const timer = setTimeout(() => res.destroy(), idleTimeoutMs)
    const done = () => {
      clearTimeout(timer)
      res.off('drain', done).off('close', done)
      resolve()
    }
    res.on('drain', done).on('close', done)
  })
}

function finish(res: ServerResponse, idleTimeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve()
    const timer = setTimeout(() => res.destroy(), idleTimeoutMs)
    const done = () => {
      clearTimeout(timer)
      res.off('finish', done).off('close', done)
      resolve()
    }
    res.on('finish', done).on('close', done)
    res.end()
  })
}

/** Reads on for a moment: a connection closed with unread bytes in it loses the reply on its way (a TCP reset). */
function discardRest({ req, res }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    let left = lingerMaxBytes
    const timer = setTimeout(() => done(), lingerMs)
    const onData = (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) done()
    }
    const done = () => {
      clearTimeout(timer)
      req.off('data', onData).off('end', done).off('close', done)
      res.off('close', done)
      resolve()
    }
    if (req.destroyed || res.destroyed) return done()
    res.on('close', done)
    req.on('data', onData).on('end', done).on('close', done).resume()
  })
}

async function stop(body: HttpResponse['body']): Promise<void> {
  if (isStream(body)) await body[Symbol.asyncIterator]().return?.()
}

/** What a client gets for an error that a handler let through. */
export function codeOfThrown(error: unknown): 'body_too_large' | 'request_timeout' | 'aborted' | 'internal' {
  if (!(error instanceof HttpError)) return 'internal'
  if (error.code === 'body_timeout') return 'request_timeout'
  return error.code === 'body_too_large' || error.code === 'aborted' ? error.code : 'internal'
}

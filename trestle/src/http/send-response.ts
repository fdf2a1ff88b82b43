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

/** `undefined`: the reply must not say a length (204), or does not know it (a stream that declares none). */
function lengthOf(exchange: Exchange, response: HttpResponse): number | undefined {
  if (response.status === 204) return undefined
  if (isStream(response.body)) return response.status === 304 ? undefined : declaredLength(response)
  if (response.body === undefined && (exchange.method === 'HEAD' || response.status === 304)) {
    return declaredLength(response)
  }
  if (response.status === 304) return undefined
  return Buffer.byteLength(response.body ?? '')
}

function checkStatus({ status }: HttpResponse): void {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return
  throw new TypeError(`${status} is no status of a reply`)
}

/**
 * Sends a reply, with back-pressure; resolves when it has been handed to the system or the client has gone away.
 * @throws TypeError before anything is sent, when status or headers are none
 */
export async function sendResponse(exchange: Exchange, response: HttpResponse, idleTimeoutMs: number): Promise<void> {
  const { res } = exchange
  if (exchange.body.pending) await settleBody(exchange)
  if (exchange.detached || res.destroyed) return await stop(response.body)
  let length: number | undefined
  try {
    checkStatus(response)
    length = lengthOf(exchange, response)
    res.writeHead(response.status, flatHeaders(response, length, exchange.last))
  } catch (error) {
    // Nobody will read it: its source may hold a connection.
    await stop(response.body)
    throw error
  }
  const bodiless = exchange.method === 'HEAD' || response.status === 204 || response.status === 304
  if (bodiless) await stop(response.body)
  else if (isStream(response.body)) await pump(res, response.body, length, idleTimeoutMs)
  else if (isSmall(response.body) && !exchange.body.pending) return await finish(res, idleTimeoutMs, response.body)
  else await write(res, response.body, idleTimeoutMs)
  if (exchange.body.pending) await discardRest(exchange)
  await finish(res, idleTimeoutMs, undefined)
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

function isSmall(body: Uint8Array | string | undefined): boolean {
  return body === undefined || body.length <= sliceBytes / 4
}

async function write(res: ServerResponse, body: Uint8Array | string | undefined, idleTimeoutMs: number): Promise<void> {
  if (body === undefined || body.length === 0) return
  if (body.length <= sliceBytes / 4) return void res.write(body)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (let at = 0; at < bytes.length && !res.destroyed; at += sliceBytes) {
    if (!res.write(bytes.subarray(at, at + sliceBytes))) await drained(res, idleTimeoutMs)
  }
}

const nothing = () => undefined

/** @throws TypeError when the stream is longer or shorter than the length that went out with the head */
async function pump(
  res: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  length: number | undefined,
  idleTimeoutMs: number,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]()
  let wake: () => void = nothing
  const leave = () => {
    wake()
    void chunks.return?.().catch(nothing)
  }
  res.once('close', leave)
  res.flushHeaders()
  let sent = 0
  while (!res.destroyed) {
    const next = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      // The source may wait for ever: a client that leaves must not wait with it.
      wake = () => resolve(undefined)
      chunks.next().then(resolve, reject)
    })
    if (next === undefined) return
    if (next.done === true) break
    sent += next.value.length
    if (length !== undefined && sent > length) throw new TypeError('The body is longer than its Content-Length')
    if (next.value.length > 0 && !res.write(next.value)) await drained(res, idleTimeoutMs)
  }
  res.off('close', leave)
  if (length !== undefined && sent < length && !res.destroyed)
    throw new TypeError('The body is shorter than its Content-Length')
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

/** Ends the reply, with its body when that is small: head and body go out in one write. */
function finish(res: ServerResponse, idleTimeoutMs: number, body: Uint8Array | string | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve()
    let timer: NodeJS.Timeout | undefined
    const done = () => {
      clearTimeout(timer)
      res.off('finish', done).off('close', done)
      resolve()
    }
    res.on('finish', done).on('close', done)
    if (body instanceof Uint8Array)
      res.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1')
    else res.end(body)
    // What the system has taken needs no watching.
    if (!res.writableFinished && res.writableLength > 0) timer = setTimeout(() => res.destroy(), idleTimeoutMs)
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

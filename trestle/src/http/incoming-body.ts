import type { IncomingMessage } from 'node:http'
import { type Headers, HttpError, type RequestBody } from './message.ts'

const nothing = new Uint8Array(0)

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length)
}

/** The body of a request or of a reply that node's parser delivers, with a bound on its size and on every wait. */
export class IncomingBody implements RequestBody {
  readonly present: boolean
  readonly #message: IncomingMessage
  /** As announced; 0: none, or chunks. */
  readonly #length: number
  readonly #idleTimeoutMs: number
  readonly #beforeReading: (() => void) | undefined
  #failure: HttpError | undefined
  #onFailure: ((error: HttpError) => void) | undefined
  #taken = false

  /** @param beforeReading runs once, when somebody wants the body: sends `100 Continue` */
  constructor(message: IncomingMessage, headers: Headers, idleTimeoutMs: number, beforeReading?: () => void) {
    this.#message = message
    this.#idleTimeoutMs = idleTimeoutMs
    this.#beforeReading = beforeReading
    this.#length = Number(headers.get('content-length') ?? 0)
    this.present = this.#length > 0 || headers.has('transfer-encoding')
  }

  /** Whether bytes of the body may still be on their way. */
  get pending(): boolean {
    return !this.#message.complete
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    if (!this.present) return nothing
    if (this.#length > maxBytes) throw tooLarge(maxBytes)
    this.#take()
    return await new Promise((resolve, reject) => this.#collect(maxBytes, resolve, reject))
  }

  #collect(maxBytes: number, resolve: (bytes: Uint8Array) => void, reject: (error: Error) => void): void {
    const message = this.#message
    const chunks: Uint8Array[] = []
    let length = 0
    const timer = setTimeout(() => end(stalled(this.#idleTimeoutMs)), this.#idleTimeoutMs)
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBytes) return end(tooLarge(maxBytes))
      chunks.push(chunk)
      timer.refresh()
    }
    const onEnd = () => end(undefined)
    const onClose = () => end(aborted())
    const end = (error: HttpError | undefined) => {
      clearTimeout(timer)
      this.#onFailure = undefined
      message.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose).pause()
      if (error === undefined) resolve(join(chunks, length))
      else reject(error)
    }
    if (this.#failure !== undefined) return end(this.#failure)
    if (message.destroyed && !message.readableEnded) return end(aborted())
    this.#onFailure = end
    message.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    if (!this.present) return
    this.#take()
    const chunks = this.#message.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
    try {
      for (;;) {
        const next = await this.#within(chunks.next())
        if (next.done === true) return
        yield next.value
      }
    } finally {
      void chunks.return?.().catch(() => undefined)
    }
  }

  async #within<T>(next: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      this.#onFailure = reject
      timer = setTimeout(() => reject(stalled(this.#idleTimeoutMs)), this.#idleTimeoutMs)
    })
    try {
      return await Promise.race([next, late])
    } catch (error) {
      throw error instanceof HttpError ? error : aborted(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Whoever reads now or later gets this error: the rest of the body will not come. The connection is left alone. */
  reject(error: HttpError): void {
    this.#failure = error
    this.#onFailure?.(error)
  }

  #take(): void {
    if (this.#taken) throw new TypeError('The body has been taken already')
    this.#taken = true
    this.#beforeReading?.()
  }
}

const tooLarge = (maxBytes: number) => new HttpError('body_too_large', `The body has more than ${maxBytes} bytes`)
const stalled = (ms: number) => new HttpError('body_timeout', `No byte of the body came for ${ms} ms`)
const aborted = (cause?: unknown) => new HttpError('aborted', 'The client went away', { cause })

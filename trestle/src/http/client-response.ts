import { headersFrom } from './header-list.ts'
import { type ClientResponse, type Headers, HttpError } from './message.ts'

/** The connection that a reply comes on, as far as the reader of its body needs it. */
export interface ReplySource {
  pause(): void
  resume(): void
  /** Gives the connection up: the rest of the body is not wanted. */
  abandon(error: HttpError): void
}

interface Waiting {
  readonly resolve: (next: IteratorResult<Uint8Array, undefined>) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Bytes that may be waiting for their reader before the connection is paused. */
const heldMaxBytes = 65_536

/** A reply whose head has come. Its connection is free again once the body has ended in any way. */
export class UpstreamResponse implements ClientResponse {
  readonly status: number
  readonly headers: Headers
  readonly #source: ReplySource
  readonly #idleTimeoutMs: number
  #chunks: Uint8Array[] = []
  #heldBytes = 0
  #paused = false
  #ended = false
  #error: HttpError | undefined
  #waiting: Waiting | undefined

  constructor(status: number, raw: readonly string[], source: ReplySource, idleTimeoutMs: number) {
    this.status = status
    this.headers = headersFrom(raw)
    this.#source = source
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** A piece of the body has come. */
  push(chunk: Uint8Array): void {
    if (this.#waiting !== undefined) return this.#settle({ done: false, value: chunk })
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes > heldMaxBytes && !this.#paused) {
      this.#paused = true
      this.#source.pause()
    }
  }

  end(): void {
    this.#ended = true
    // The connection is not this reply's any more.
    if (this.#paused) this.#source.resume()
    this.#paused = false
    this.#settle({ done: true, value: undefined })
  }

  /** The rest of the body will not come. */
  fail(error: HttpError): void {
    if (this.#ended || this.#error !== undefined) return
    this.#error = error
    const waiting = this.#unwait()
    waiting?.reject(error)
  }

  arrived(): Uint8Array | undefined {
    if (!this.#ended || this.#error !== undefined) return undefined
    const whole = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks)
    this.#chunks = []
    return whole
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of this.stream()) {
      length += chunk.length
      // Leaving the loop gives the connection up: the rest of the body is not wanted.
      if (length > maxBytes) throw new HttpError('body_too_large', `The reply has more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length)
  }

  stream(): AsyncIterable<Uint8Array> {
    const iterator: AsyncIterator<Uint8Array, undefined> = {
      next: () => this.#next(),
      return: async () => {
        await this.discard()
        return { done: true, value: undefined }
      },
    }
    return { [Symbol.asyncIterator]: () => iterator }
  }

  async discard(): Promise<void> {
    this.#chunks = []
    if (this.#ended || this.#error !== undefined) return
    this.#source.abandon(new HttpError('aborted', 'The rest of the reply was not wanted'))
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#heldBytes -= chunk.length
      this.#flow()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, timer: setTimeout(() => this.#stalled(), this.#idleTimeoutMs) }
    })
  }

  #flow(): void {
    if (!this.#paused || this.#heldBytes > 0) return
    this.#paused = false
    this.#source.resume()
  }

  #stalled(): void {
    const error = new HttpError('body_timeout', `No byte of the reply came for ${this.#idleTimeoutMs} ms`)
    this.fail(error)
    this.#source.abandon(error)
  }

  #settle(next: IteratorResult<Uint8Array, undefined>): void {
    this.#unwait()?.resolve(next)
  }

  #unwait(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) clearTimeout(waiting.timer)
    return waiting
  }
}

import type { Readable } from 'node:stream'
import { toHttpError } from './client-error.ts'
import { type ClientResponse, type Headers, HttpError } from './message.ts'

/** A reply whose head has come. Its place is given back once the body has ended in any way. */
export class UpstreamResponse implements ClientResponse {
  readonly status: number
  readonly headers: Headers
  readonly #body: Readable

  constructor(status: number, headers: Headers, body: Readable, ended: () => void) {
    this.status = status
    this.headers = headers
    this.#body = body
    body.on('error', () => undefined)
    body.once('close', ended)
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of this.stream()) {
      length += chunk.length
      // Leaving the loop destroys the connection: the rest of the body is not wanted.
      if (length > maxBytes) throw new HttpError('body_too_large', `The reply has more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length)
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#body) yield chunk as Uint8Array
    } catch (error) {
      throw toHttpError(error)
    }
  }

  async discard(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#body.closed) resolve()
      else this.#body.once('close', () => resolve())
    })
    this.#body.destroy()
    await closed
  }
}

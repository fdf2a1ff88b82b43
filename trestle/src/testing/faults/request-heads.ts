const headMaxBytes = 65_536
const headEnd = Buffer.from('\r\n\r\n')

/** What the first line of a request says. */
export interface RequestHead {
  readonly method: string
  /** With its query. */
  readonly target: string
}

/** A request, or as much of its body as has come. */
export type RequestPart =
  | { readonly kind: 'head'; readonly head: RequestHead; readonly bytes: Buffer }
  | { readonly kind: 'body'; readonly bytes: Buffer; readonly last: boolean }

/**
 * Tells the requests of a connection apart, as far as a proxy needs that puts faults between them: bodies have a length or
 * none. Not for the bytes of strangers.
 */
export class RequestHeads {
  #rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  #bodyLeft = 0

  /** @throws Error for a head that is too long, or a body in chunks */
  push(chunk: Uint8Array): readonly RequestPart[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const parts: RequestPart[] = []
    for (let part = this.#next(); part !== undefined; part = this.#next()) parts.push(part)
    return parts
  }

  #next(): RequestPart | undefined {
    if (this.#bodyLeft > 0) {
      if (this.#rest.length === 0) return undefined
      const bytes = this.#take(Math.min(this.#bodyLeft, this.#rest.length))
      this.#bodyLeft -= bytes.length
      return { kind: 'body', bytes, last: this.#bodyLeft === 0 }
    }
    const end = this.#rest.indexOf(headEnd)
    if (end === -1) {
      if (this.#rest.length > headMaxBytes) throw new Error('the head of a request is too long')
      return undefined
    }
    const bytes = this.#take(end + headEnd.length)
    const text = bytes.toString('latin1')
    if (/^transfer-encoding:/im.test(text)) throw new Error('a body in chunks cannot be followed')
    this.#bodyLeft = Number(/^content-length:\s*(\d+)/im.exec(text)?.[1] ?? 0)
    const [method = '', target = ''] = text.split(' ', 2)
    return { kind: 'head', head: { method, target }, bytes }
  }

  #take(count: number): Buffer {
    const bytes = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return bytes
  }
}

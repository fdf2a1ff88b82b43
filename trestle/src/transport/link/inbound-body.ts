/** A body that arrives in chunks. Beyond its bound it is thrown away, and only its end is waited for. */
export class InboundBody {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0
  #tooLarge = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get tooLarge(): boolean {
    return this.#tooLarge
  }

  /** Returns by how much the bytes held have changed. */
  add(chunk: Buffer): number {
    if (this.#tooLarge) return 0
    if (this.#bytes + chunk.length > this.#maxBytes) {
      this.#tooLarge = true
      return this.discard()
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return chunk.length
  }

  /** Returns by how much the bytes held have changed. */
  discard(): number {
    const held = this.#bytes
    this.#chunks = []
    this.#bytes = 0
    return -held
  }

  take(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#bytes)
  }
}

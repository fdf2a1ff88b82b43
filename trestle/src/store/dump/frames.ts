import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import { once } from 'node:events'
import { StoreError } from '../store-error.ts'

/**
 * A dump is a sequence of lines of JSON. A line `{"bytes":n}` is followed by n bytes of a table's rows and a line feed.
 * The last line has the checksum of everything before it.
 */
export class FrameWriter {
  readonly #out: Writable
  readonly #hash = createHash('sha256')

  constructor(out: Writable) {
    this.#out = out
  }

  async line(value: unknown): Promise<void> {
    await this.#write(Buffer.from(`${JSON.stringify(value)}\n`))
  }

  async bytes(chunk: Buffer): Promise<void> {
    // In one go: the next piece may come while this one waits for the sink.
    await this.#write(
      Buffer.concat([Buffer.from(`${JSON.stringify({ bytes: chunk.length })}\n`), chunk, Buffer.from('\n')]),
    )
  }

  async end(totals: Readonly<Record<string, number>>): Promise<void> {
    const sha256 = this.#hash.digest('hex')
    await this.#send(Buffer.from(`${JSON.stringify({ end: { ...totals, sha256 } })}\n`))
  }

  async #write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk)
    await this.#send(chunk)
  }

  async #send(chunk: Buffer): Promise<void> {
    if (this.#out.destroyed) throw this.#out.errored ?? new Error('the dump was closed before it was complete')
    if (!this.#out.write(chunk)) await drained(this.#out)
  }
}

/** A stream that is closed never drains. */
async function drained(out: Writable): Promise<void> {
  const closed = new AbortController()
  const close = () => closed.abort()
  out.once('close', close)
  try {
    await once(out, 'drain', { signal: closed.signal })
  } catch (error) {
    throw out.errored ?? new Error('the dump was closed before it was complete', { cause: error })
  } finally {
    out.off('close', close)
  }
}

const lineMaxBytes = 16 << 20
const lineFeed = 0x0a

/** Reads what `FrameWriter` wrote, holding no more than one line or one piece of the source at a time. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #hash = createHash('sha256')
  #buffer: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next line. @throws StoreError `dump_invalid` when the dump ends before it does */
  async line(): Promise<Record<string, unknown>> {
    let searched = 0
    for (;;) {
      const at = this.#buffer.indexOf(lineFeed, searched)
      if (at >= 0) return this.#parse(this.#take(at + 1))
      searched = this.#buffer.length
      if (searched > lineMaxBytes) throw invalid(`a line is longer than ${lineMaxBytes} bytes`)
      if (!(await this.#more())) throw invalid('it ends in the middle; was it cut off?')
    }
  }

  /** The `count` bytes after a `{"bytes":n}` line, in pieces. */
  async *bytes(count: number): AsyncGenerator<Buffer> {
    let left = count
    while (left > 0) {
      if (this.#buffer.length === 0 && !(await this.#more())) throw invalid('it ends in the middle; was it cut off?')
      const piece = this.#take(Math.min(left, this.#buffer.length))
      this.#hash.update(piece)
      left -= piece.length
      yield piece
    }
    while (this.#buffer.length === 0 && (await this.#more())) {
      // Nothing to do: the condition reads on.
    }
    const end = this.#take(1)
    if (end[0] !== lineFeed) throw invalid('a piece of a table is longer or shorter than it says')
    this.#hash.update(end)
  }

  /** Whether nothing follows. */
  async atEnd(): Promise<boolean> {
    return this.#buffer.length === 0 && !(await this.#more())
  }

  #parse(line: Buffer): Record<string, unknown> {
    let value: unknown
    try {
      value = JSON.parse(line.toString('utf8'))
    } catch (cause) {
      throw invalid('a line is not JSON', cause)
    }
    if (typeof value !== 'object' || value === null) throw invalid('a line is not an object')
    const end = (value as { end?: { sha256?: unknown } }).end
    if (end === undefined) this.#hash.update(line)
    else if (end?.sha256 !== this.#hash.digest('hex')) throw invalid('its checksum does not match')
    return value as Record<string, unknown>
  }

  #take(count: number): Buffer {
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#buffer, next.value])
    return true
  }
}

export function invalid(why: string, cause?: unknown): StoreError {
  return new StoreError('dump_invalid', `The dump cannot be loaded: ${why}`, cause === undefined ? {} : { cause })
}

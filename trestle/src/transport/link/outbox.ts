import type { Socket } from 'node:net'
import { Flag, FrameType, headerBytes, headerRestBytes } from './frame.ts'
import { chunkMaxBytes } from './limits.ts'

/** Bytes handed to the socket ahead of what the peer takes; long bodies wait behind this. */
const aheadMaxBytes = 262_144
const slabBytes = 65_536

interface LongBody {
  readonly stream: number
  readonly body: Uint8Array
  offset: number
  readonly written: (() => void) | undefined
}

/**
 * Collects frames and writes them together, once per turn of the event loop. Bodies longer than a chunk are cut, and
 * their chunks take turns with each other and with everything else.
 */
export class Outbox {
  readonly #socket: Socket
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  #start = 0
  #used = 0
  #full: Buffer[] = []
  #fullBytes = 0
  #long: LongBody[] = []
  #longBytes = 0
  #onWritten: (() => void)[] = []
  #scheduled = false
  #closed = false
  #finished: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('drain', () => this.#flush())
  }

  /** Bytes that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + this.#fullBytes + (this.#used - this.#start) + this.#longBytes
  }

  /**
   * Queues one message: a frame, and `data` frames for what does not fit into it.
   * @param written is called when the last byte has been handed to the socket
   */
  send(
    type: number,
    flags: number,
    stream: number,
    meta: string,
    body?: Uint8Array | string,
    written?: () => void,
  ): void {
    if (this.#closed || this.#finished !== undefined) return
    if (typeof body === 'string' && body.length * 3 > chunkMaxBytes) body = Buffer.from(body)
    if (body !== undefined && body.length > chunkMaxBytes) {
      const bytes = body as Uint8Array
      this.#frame(type, flags, stream, meta, bytes.subarray(0, chunkMaxBytes))
      this.#long.push({ stream, body: bytes, offset: chunkMaxBytes, written })
      this.#longBytes += bytes.length - chunkMaxBytes
    } else {
      this.#frame(type, flags | Flag.end, stream, meta, body)
      if (written !== undefined) this.#onWritten.push(written)
    }
    this.#schedule()
  }

  /** Gives up what is left of a long body. Says whether there was any. */
  drop(stream: number): boolean {
    const at = this.#long.findIndex((long) => long.stream === stream)
    if (at === -1) return false
    const [long] = this.#long.splice(at, 1) as [LongBody]
    this.#longBytes -= long.body.length - long.offset
    return true
  }

  /** Takes nothing more; calls `done` when everything queued has been handed to the socket. */
  finish(done: () => void): void {
    this.#finished = done
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#long = []
    this.#longBytes = 0
    this.#onWritten = []
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#closed) return
    while (this.#long.length > 0 && this.#aheadBytes() < aheadMaxBytes) this.#nextChunk()
    this.#sealSlab()
    this.#write()
    if (this.#long.length > 0) {
      // Below its own high-water mark the socket will not say `drain`.
      if (!this.#socket.writableNeedDrain) this.#schedule()
    } else if (this.#finished !== undefined) this.#finished()
  }

  #write(): void {
    const full = this.#full
    if (full.length === 0) return
    if (full.length > 1) this.#socket.cork()
    for (const bytes of full) this.#socket.write(bytes)
    if (full.length > 1) this.#socket.uncork()
    this.#full = []
    this.#fullBytes = 0
    // The kernel has taken everything, so that the slab can be written again.
    if (this.#socket.writableLength === 0) {
      this.#start = 0
      this.#used = 0
    }
    const written = this.#onWritten
    this.#onWritten = []
    for (const fn of written) fn()
  }

  #aheadBytes(): number {
    return this.#socket.writableLength + this.#fullBytes + (this.#used - this.#start)
  }

  #nextChunk(): void {
    const long = this.#long.shift() as LongBody
    const end = Math.min(long.offset + chunkMaxBytes, long.body.length)
    const last = end === long.body.length
    this.#frame(FrameType.data, last ? Flag.end : 0, long.stream, '', long.body.subarray(long.offset, end))
    this.#longBytes -= end - long.offset
    long.offset = end
    if (!last) this.#long.push(long)
    else if (long.written !== undefined) this.#onWritten.push(long.written)
  }

  #frame(type: number, flags: number, stream: number, meta: string, body: Uint8Array | string | undefined): void {
    const bodyMost = body === undefined ? 0 : typeof body === 'string' ? body.length * 3 : body.length
    const most = headerBytes + meta.length * 3 + bodyMost
    const at = this.#room(most)
    const metaBytes = meta === '' ? 0 : this.#slab.write(meta, at + headerBytes)
    const bodyAt = at + headerBytes + metaBytes
    const bodyBytes = this.#writeBody(body, bodyAt)
    this.#slab.writeUInt32BE(headerRestBytes + metaBytes + bodyBytes, at)
    this.#slab[at + 4] = type
    this.#slab[at + 5] = flags
    this.#slab.writeUInt32BE(stream, at + 6)
    this.#slab.writeUInt32BE(metaBytes, at + 10)
    this.#used = bodyAt + bodyBytes
  }

  #writeBody(body: Uint8Array | string | undefined, at: number): number {
    if (body === undefined) return 0
    if (typeof body === 'string') return this.#slab.write(body, at)
    this.#slab.set(body, at)
    return body.length
  }

  /** Where `bytes` fit into the slab; starts a new one when they do not. */
  #room(bytes: number): number {
    if (this.#used + bytes > this.#slab.length) {
      this.#sealSlab()
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
      this.#start = 0
      this.#used = 0
    }
    return this.#used
  }

  #sealSlab(): void {
    if (this.#used === this.#start) return
    this.#full.push(this.#slab.subarray(this.#start, this.#used))
    this.#fullBytes += this.#used - this.#start
    this.#start = this.#used
  }
}

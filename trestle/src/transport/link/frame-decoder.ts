import { type Frame, headerBytes, headerRestBytes, LinkProtocolError, lastFrameType } from './frame.ts'
import { metaMaxBytes } from './limits.ts'

const none = Buffer.alloc(0)

/**
 * Cuts a byte stream into frames, wherever it is split. Holds at most one unfinished frame.
 * @throws LinkProtocolError when the bytes are no frame or a frame is too large; it must not be used after that
 */
export class FrameDecoder {
  #pieces: Buffer[] = []
  #buffered = 0
  #needed = headerBytes
  #frameMaxBytes: number

  constructor(frameMaxBytes: number) {
    this.#frameMaxBytes = frameMaxBytes
  }

  /** Changes the bound, from the next frame on. */
  allow(frameMaxBytes: number): void {
    this.#frameMaxBytes = frameMaxBytes
  }

  push(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    if (this.#buffered + chunk.length < this.#needed) return this.#keep(chunk)
    const bytes = this.#buffered === 0 ? chunk : Buffer.concat([...this.#pieces, chunk])
    this.#pieces = []
    this.#buffered = 0
    let offset = 0
    while (bytes.length - offset >= headerBytes) {
      const total = this.#frameLength(bytes, offset)
      if (bytes.length - offset < total) {
        this.#needed = total
        return this.#keep(bytes.subarray(offset))
      }
      onFrame(readFrame(bytes, offset, total))
      offset += total
    }
    this.#needed = headerBytes
    if (offset < bytes.length) this.#keep(bytes.subarray(offset))
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#buffered += piece.length
  }

  #frameLength(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32BE(offset)
    if (length < headerRestBytes) throw new LinkProtocolError(`a frame of ${length} bytes is shorter than its header`)
    if (length > this.#frameMaxBytes) {
      throw new LinkProtocolError(`a frame of ${length} bytes is larger than ${this.#frameMaxBytes}`)
    }
    return length + 4
  }
}

function readFrame(bytes: Buffer, offset: number, total: number): Frame {
  const type = bytes[offset + 4] as number
  if (type === 0 || type > lastFrameType) throw new LinkProtocolError(`frame type ${type} is unknown`)
  const metaLength = bytes.readUInt32BE(offset + 10)
  const metaAt = offset + headerBytes
  if (metaLength > total - headerBytes || metaLength > metaMaxBytes) {
    throw new LinkProtocolError(`a meta part of ${metaLength} bytes does not fit`)
  }
  const bodyAt = metaAt + metaLength
  const end = offset + total
  return {
    type,
    flags: bytes[offset + 5] as number,
    stream: bytes.readUInt32BE(offset + 6),
    meta: metaLength === 0 ? none : bytes.subarray(metaAt, bodyAt),
    body: bodyAt === end ? none : bytes.subarray(bodyAt, end),
  }
}

import { pipeline } from 'node:stream'
import { promisify } from 'node:util'
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  gzip,
  gzipSync,
} from 'node:zlib'
import type { ContentCoding } from './accept-encoding.ts'

/** About as fast as gzip, and shorter. The default of 11 takes a hundred times as long. */
const brotli = (sizeHint?: number): BrotliOptions => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    ...(sizeHint === undefined ? {} : { [constants.BROTLI_PARAM_SIZE_HINT]: sizeHint }),
  },
})
/** Less than a third of a millisecond: not worth a thread. */
const atOnceMaxBytes = 16_384
const gzipInThread = promisify(gzip)
const brotliInThread = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress)

/** Compresses what is at hand. */
export async function encodeWhole(bytes: Uint8Array, coding: ContentCoding): Promise<Uint8Array> {
  const small = bytes.length <= atOnceMaxBytes
  if (coding === 'gzip') return small ? gzipSync(bytes) : await gzipInThread(bytes)
  const options = brotli(bytes.length)
  return small ? brotliCompressSync(bytes, options) : await brotliInThread(bytes, options)
}

/** Compresses what comes, piece by piece: each is sent on as it comes. A source that breaks off breaks the result off. */
export function encodeStream(body: AsyncIterable<Uint8Array>, coding: ContentCoding): AsyncIterable<Uint8Array> {
  const encoder =
    coding === 'gzip'
      ? createGzip({ flush: constants.Z_SYNC_FLUSH })
      : createBrotliCompress({ ...brotli(), flush: constants.BROTLI_OPERATION_FLUSH })
  // Whoever reads the encoder is told of errors.
  const source = body[Symbol.asyncIterator]()
  pipeline({ [Symbol.asyncIterator]: () => source }, encoder, () => undefined)
  return {
    [Symbol.asyncIterator]() {
      const chunks = encoder[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
      return {
        next: () => chunks.next(),
        async return() {
          // The encoder's own does nothing before the first piece was taken; and the source may wait for ever for its next.
          encoder.destroy()
          await source.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

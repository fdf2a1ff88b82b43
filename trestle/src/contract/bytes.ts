import { z } from 'zod'
import { unwrap } from './zod-def.ts'

/** Raw bytes: base64 where they stand in JSON, as they are where they are a whole body. */
export type BytesSchema = z.ZodCodec<z.ZodBase64, z.ZodCustom<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>>

const mark = 'x-trestle-bytes'

/** What bytes may be, for `bytes()`. */
export interface BytesOptions {
  /** Media types that a raw body may have; default: any is taken, `application/octet-stream` is sent. */
  readonly contentTypes?: readonly [string, ...string[]]
}

/**
 * A field or reply of raw bytes. The sender writes base64 (`encodeBytes`), the receiver reads a `Uint8Array`; where it
 * is the whole body of a request or reply, the octets themselves cross the wire.
 * @example post('/webhooks', { input: z.object({ document: bytes() }), body: 'document' })
 */
export function bytes(options: BytesOptions = {}): BytesSchema {
  const codec = z.codec(
    z.base64(),
    z.instanceof(Uint8Array) as z.ZodCustom<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>,
    {
      decode: decodeBytes,
      encode: encodeBytes,
    },
  )
  return codec.meta({ [mark]: options.contentTypes ?? [] }) as BytesSchema
}

/** The wire form of bytes: base64 with padding. Source: RFC 4648, section 4. */
export function encodeBytes(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')
}

/** The bytes of a base64 text, for who holds the wire form; handlers and clients read a `Uint8Array` already. */
export function decodeBytes(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

/** The media types of a schema made by `bytes()`, empty for any; `undefined` for other schemas. */
export function bytesContentTypes(schema: z.ZodType | undefined): readonly string[] | undefined {
  if (schema === undefined) return undefined
  return (unwrap(schema) as z.ZodType).meta()?.[mark] as readonly string[] | undefined
}

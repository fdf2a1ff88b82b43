import { HttpError, type HttpRequest } from '../../http/message.ts'
import type { RequestNotes } from '../request/edge-request.ts'

/** A request's body on its way: what an attempt sends, and whether a further attempt could send it again. */
export interface OutgoingBody {
  /** @param waitFor told whose turn it is: the client's to send more, or that of the one who gets it */
  readonly open: (waitFor: (whom: 'client' | 'member') => void) => Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Whether more of it is waited for. */
  readonly owed: () => boolean
  /** Length that the client declared; `undefined`: it comes in chunks, or is at hand. */
  readonly length: string | undefined
  /** Whether none of it has been sent, or all of it is at hand. */
  readonly repeatable: () => boolean
}

/** What may be done with a body. */
export interface BodyUse {
  readonly maxBytes: number
  /** The request may be sent again: a small body is kept for that. */
  readonly repeats: boolean
  /** Gets the whole body once it is known, when it is small enough to be kept. */
  readonly copy: ((whole: Uint8Array | undefined) => void) | undefined
}

const never = () => false
const always = () => true
const none: OutgoingBody = { open: () => undefined, owed: never, length: undefined, repeatable: always }
/** A body that is kept for a further attempt or a copy. */
const keptMaxBytes = 65_536

/**
 * Takes the body: a small one of a request that may be repeated is read first, any other goes through as it comes.
 * @throws HttpError `body_too_large`
 */
export async function outgoingBody(
  { body, headers }: HttpRequest,
  { maxBytes, repeats, copy }: BodyUse,
  notes: RequestNotes,
): Promise<OutgoingBody> {
  if (!body.present) {
    copy?.(undefined)
    return none
  }
  const length = headers.get('content-length')
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes)
  if (repeats && length !== undefined && Number(length) <= keptMaxBytes) {
    const bytes = await body.bytes(maxBytes)
    notes.bytesIn = bytes.length
    copy?.(bytes)
    return { open: () => bytes, owed: never, length: undefined, repeatable: always }
  }
  let begun = false
  let owed = false
  async function* counted(waitFor: (whom: 'client' | 'member') => void): AsyncGenerator<Uint8Array> {
    const turn = (whom: 'client' | 'member') => {
      owed = whom === 'client'
      waitFor(whom)
    }
    begun = true
    turn('client')
    const kept: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of body.stream()) {
      turn('member')
      bytes += chunk.length
      notes.bytesIn = bytes
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      if (copy !== undefined && bytes <= keptMaxBytes) kept.push(Uint8Array.from(chunk))
      yield chunk
      turn('client')
    }
    turn('member')
    if (bytes <= keptMaxBytes) copy?.(Buffer.concat(kept))
  }
  return {
    open: (waitFor) => ({ [Symbol.asyncIterator]: () => counted(waitFor) }),
    owed: () => owed,
    length,
    repeatable: () => !begun,
  }
}

const tooLarge = (maxBytes: number) => new HttpError('body_too_large', `The body has more than ${maxBytes} bytes`)

import type { HttpResponse } from '../../http/message.ts'

/** The whole body, or the same reply with a body that has not been read to its end. */
export type Collected =
  | { readonly whole: true; readonly body: Uint8Array }
  | { readonly whole: false; readonly response: HttpResponse }

const none = new Uint8Array()

/** Reads a body of at most `maxBytes`; a longer one is given back as it was. */
export async function collectBody(response: HttpResponse, maxBytes: number): Promise<Collected> {
  const { body } = response
  if (body === undefined) return { whole: true, body: none }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    return bytes.length <= maxBytes ? { whole: true, body: bytes } : { whole: false, response }
  }
  const declared = Number(response.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
  if (declared > maxBytes) return { whole: false, response }
  return await collectStream(response, body, maxBytes)
}

async function collectStream(
  response: HttpResponse,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Collected> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const rest = body[Symbol.asyncIterator]()
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    chunks.push(next.value)
    bytes += next.value.length
    if (bytes > maxBytes) return { whole: false, response: { ...response, body: rejoined(chunks, rest) } }
  }
  return { whole: true, body: Buffer.concat(chunks) }
}

/** What was read and the rest. No generator: one that was never begun would not let go of the rest. */
function rejoined(read: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let at = 0
  const chunks: AsyncIterator<Uint8Array> = {
    async next() {
      const value = read[at]
      at += 1
      return value === undefined ? await rest.next() : { done: false, value }
    },
    async return() {
      await rest.return?.()
      return { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => chunks }
}

/** Lets go of a body that nobody will read. */
export async function discardBody({ body }: HttpResponse): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return
  await body[Symbol.asyncIterator]().return?.()
}

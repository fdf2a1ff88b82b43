import type { bindingOf } from '../../contract/binding.ts'
import { isAmong, isJson } from '../../contract/media-type.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

type BodyBinding = Pick<ReturnType<typeof bindingOf>, 'body' | 'contentTypes'>

/** The body of a request as its operation takes it. @throws Refused for a body of another type, HttpError */
export async function readOperationBody(
  { http, headers, notes }: EdgeRequest,
  binding: BodyBinding,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (!http.body.present) return undefined
  const { body: kind, contentTypes } = binding
  // Without a use for it, a body is read within the bound and dropped: the connection stays good.
  if (kind !== 'none') {
    const type = headers.get('content-type')
    const fits = kind === 'bytes' ? isAmong(type, contentTypes) : isJson(type)
    if (!fits) {
      const wanted = kind === 'bytes' ? contentTypes.join(' or ') : 'application/json'
      throw refused('unsupported_media_type', { detail: `The body must be ${wanted}` })
    }
    // Nothing here decodes: the bytes would be taken for what they are not.
    if (headers.get('content-encoding') !== undefined) {
      throw refused('unsupported_media_type', { detail: 'The body must have no Content-Encoding' })
    }
  }
  const bytes = await http.body.bytes(maxBytes)
  notes.bytesIn = bytes.length
  return kind === 'none' ? undefined : bytes
}

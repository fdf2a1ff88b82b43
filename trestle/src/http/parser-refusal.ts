import type { Refusal } from './refusal.ts'

/** What node's parser attaches to its errors. */
interface ParserError {
  readonly code?: string | undefined
  readonly reason?: string | undefined
  readonly rawPacket?: Buffer | undefined
}

/** Whether it is the request line that is too long, and not the header block, as far as the last packet shows. */
function lineIsTooLong({ rawPacket }: ParserError, lineMaxBytes: number): boolean {
  if (rawPacket === undefined || !/^[A-Z]+ /.test(rawPacket.toString('latin1', 0, 32))) return false
  const end = rawPacket.indexOf('\n')
  return end === -1 || end > lineMaxBytes
}

/** What to answer when node's parser gives up; `undefined`: nobody is left to answer to. */
export function parserRefusal(error: ParserError, lineMaxBytes: number): Refusal | undefined {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return lineIsTooLong(error, lineMaxBytes)
        ? { code: 'uri_too_long', detail: 'The request line is longer than allowed' }
        : { code: 'headers_too_large', detail: 'The header block is larger than allowed' }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { code: 'body_too_large', detail: 'The chunk extensions are larger than allowed' }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'request_timeout', detail: 'The head of the request did not come in time' }
    default:
      if (error.code?.startsWith('HPE_') !== true) return undefined
      return { code: 'bad_request', detail: error.reason ?? 'The request is not HTTP/1.1' }
  }
}

import { HttpError } from './message.ts'

/** Who is told what a reply consists of, in order. */
export interface ReplySink {
  /** @param raw names in lower case and values, one after the other */
  head(status: number, raw: string[]): void
  data(chunk: Uint8Array): void
  end(): void
}

const headMaxBytes = 65_536
const fieldsMax = 256
const chunkLineMaxBytes = 1_024
const informationalMax = 32
const statusLine = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: .*)?$/
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const forbidden = /[\x00-\x08\x0a-\x1f\x7f]/
/** Not what else `trim` takes for space: a field is not to be read as another one than others read. */
const spaceAround = /^[\t ]+|[\t ]+$/g
const chunkLine = /^([0-9a-fA-F]{1,12})(?:[\t ]*;[^\r\n]*)?$/

type State = 'idle' | 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers'

const malformed = (what: string) => new HttpError('bad_response', `The reply is malformed: ${what}`)

/**
 * Reads the replies on one connection, one after the other. What is ambiguous is refused: where a reply ends must not be
 * a matter of opinion. Source: RFC 9112, sections 4 to 7; trailers are read and dropped.
 */
export class ReplyParser {
  readonly #sink: ReplySink
  #state: State = 'idle'
  #held: Buffer | undefined
  #left = 0
  #trailerBytes = 0
  #informational = 0
  #bodiless = false
  /** Whether the connection can take a further request once this reply has ended. */
  reusable = false
  /** How long the other side keeps the connection for the next request, if it says so. */
  keepAliveMs: number | undefined

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  /** The next reply is to a request with this method. */
  expect(method: string): void {
    this.#state = 'head'
    this.#bodiless = method === 'HEAD'
    this.#informational = 0
    this.reusable = false
  }

  /** Whether a reply has begun or is waited for. */
  get busy(): boolean {
    return this.#state !== 'idle'
  }

  /** @throws HttpError `bad_response`; then nothing more may come from this connection */
  execute(chunk: Buffer): void {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = undefined
    let at = 0
    while (at < bytes.length) {
      const next = this.#step(bytes, at)
      if (next === at) {
        this.#held = at === 0 ? bytes : bytes.subarray(at)
        return
      }
      at = next
    }
  }

  /** The other side sends nothing more. @throws HttpError `reset` when the reply is not whole */
  finish(): void {
    if (this.#state === 'until-close') this.#end()
    else throw new HttpError('reset', 'The connection ended before the reply')
  }

  /** Reads from `at`; where it came to: `at` itself when more bytes are needed. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at)
      case 'length':
        return this.#counted(bytes, at, 'idle')
      case 'chunk-data':
        return this.#counted(bytes, at, 'chunk-end')
      case 'until-close':
        this.#sink.data(at === 0 ? bytes : bytes.subarray(at))
        return bytes.length
      case 'chunk-size':
        return this.#chunkSize(bytes, at)
      case 'chunk-end':
        return this.#chunkEnd(bytes, at)
      case 'trailers':
        return this.#trailer(bytes, at)
      default:
        throw malformed('bytes after its end')
    }
  }

  #head(bytes: Buffer, at: number): number {
    const end = bytes.indexOf('\r\n\r\n', at, 'latin1')
    if (end === -1 || end - at > headMaxBytes) {
      if (bytes.length - at > headMaxBytes) throw malformed('its head is too large')
      checkBeginning(bytes.toString('latin1', at, bytes.length))
      return at
    }
    this.#readHead(bytes.toString('latin1', at, end))
    return end + 4
  }

  #readHead(text: string): void {
    const lines = text.split('\r\n')
    const match = statusLine.exec(lines[0] as string)
    if (match === null || forbidden.test(lines[0] as string)) throw malformed('its first line')
    const status = Number(match[2])
    const raw = readFields(lines)
    if (status < 200) return this.#interim(status)
    const framing = framingOf(raw)
    this.reusable = match[1] === '1' && !framing.closes && !this.#bodiless
    this.keepAliveMs = framing.keepAliveMs
    this.#sink.head(status, raw)
    const { length, chunked } = framing
    if (chunked && match[1] === '0') throw malformed('Transfer-Encoding in HTTP/1.0')
    if (this.#bodiless || status === 204 || status === 304) {
      // It has no body; should one be sent anyway, it must not be taken for the next reply.
      if (chunked || (length ?? 0) > 0) this.reusable = false
      return this.#end()
    }
    if (chunked) this.#state = 'chunk-size'
    else if (length === 0) this.#end()
    else {
      this.#state = length === undefined ? 'until-close' : 'length'
      this.#left = length ?? 0
      if (length === undefined) this.reusable = false
    }
  }

  /** 100, 102, 103: said for whoever can use it; the reply is still to come. Nobody asked to switch protocols. */
  #interim(status: number): void {
    this.#informational += 1
    if (status === 101 || this.#informational > informationalMax) throw malformed(`an unexpected ${status}`)
  }

  #counted(bytes: Buffer, at: number, then: 'idle' | 'chunk-end'): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#sink.data(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    if (this.#left === 0) {
      if (then === 'idle') this.#end()
      else this.#state = then
    }
    return end
  }

  #chunkSize(bytes: Buffer, at: number): number {
    const line = lineAt(bytes, at)
    if (line === undefined) return at
    const size = chunkLine.exec(line)?.[1]
    if (size === undefined || forbidden.test(line)) throw malformed('a chunk size')
    this.#left = Number.parseInt(size, 16)
    this.#trailerBytes = 0
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data'
    return at + line.length + 2
  }

  #chunkEnd(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2 && bytes[at] === 13) return at
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw malformed('a chunk is longer than it says')
    this.#state = 'chunk-size'
    return at + 2
  }

  #trailer(bytes: Buffer, at: number): number {
    const line = lineAt(bytes, at)
    if (line === undefined) return at
    if (line === '') this.#end()
    else readField(line, [])
    this.#trailerBytes += line.length
    if (this.#trailerBytes > headMaxBytes) throw malformed('its trailers are too large')
    return at + line.length + 2
  }

  #end(): void {
    this.#state = 'idle'
    this.#sink.end()
  }
}

/** What has come of a head that is not whole: enough to refuse what can never become one. */
function checkBeginning(text: string): void {
  const start = 'HTTP/1.'
  if (!text.startsWith(start.slice(0, text.length))) throw malformed('this is no HTTP/1')
  if (/(?:^|[^\r])\n|\r[^\n]/.test(text)) throw malformed('a line break that is none')
}

/** The line from `at` without its end; `undefined`: it is not whole yet. */
function lineAt(bytes: Buffer, at: number): string | undefined {
  const end = bytes.indexOf('\r\n', at, 'latin1')
  if ((end === -1 ? bytes.length : end) - at > chunkLineMaxBytes) throw malformed('a line is too long')
  if (end !== -1) return bytes.toString('latin1', at, end)
  checkLine(bytes.toString('latin1', at, bytes.length))
  return undefined
}

function checkLine(text: string): void {
  if (/\n|\r[^]/.test(text)) throw malformed('a line break that is none')
}

function readFields(lines: readonly string[]): string[] {
  if (lines.length > fieldsMax + 1) throw malformed('it has too many header fields')
  const raw: string[] = []
  for (let i = 1; i < lines.length; i += 1) readField(lines[i] as string, raw)
  return raw
}

function readField(line: string, raw: string[]): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon))
  if (!token.test(name)) throw malformed('the name of a header field')
  if (forbidden.test(line)) throw malformed(`the header field ${name}`)
  raw.push(name.toLowerCase(), line.slice(colon + 1).replace(spaceAround, ''))
}

interface Framing {
  readonly length: number | undefined
  readonly chunked: boolean
  readonly closes: boolean
  readonly keepAliveMs: number | undefined
}

/** Both lengths, or one twice: where this reply ends is a matter of opinion, and then it is no reply. */
function framingOf(raw: readonly string[]): Framing {
  let length: number | undefined
  let chunked = false
  let closes = false
  let keepAliveMs: number | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string
    switch (raw[i]) {
      case 'content-length':
        if (length !== undefined || chunked || !/^[0-9]{1,15}$/.test(value)) throw malformed('Content-Length')
        length = Number(value)
        break
      case 'transfer-encoding':
        if (length !== undefined || chunked || value.toLowerCase() !== 'chunked') throw malformed('Transfer-Encoding')
        chunked = true
        break
      case 'connection':
        closes ||= /(?:^|[,\t ])close(?:$|[,\t ])/i.test(value)
        break
      case 'keep-alive':
        keepAliveMs = keptMs(value)
        break
      default:
    }
  }
  return { length, chunked, closes, keepAliveMs }
}

/** Source: RFC 2068, section 19.7.1.1, which nothing has replaced. */
function keptMs(value: string): number | undefined {
  const seconds = /(?:^|[,\t ])timeout=([0-9]{1,6})(?:$|[,\t ])/i.exec(value)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

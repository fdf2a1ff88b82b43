import type { Call, CallInput } from '../../call/call.ts'
import type { Caller } from '../../call/caller.ts'
import { formatTraceparent, newTrace, parseTraceparent } from '../../std/trace-context.ts'
import { Flag, LinkProtocolError } from './frame.ts'
import { metaMaxBytes } from './limits.ts'

/** How a caller travels. Between processes it must be signed: what `decode` takes for nobody was made without the key. */
export interface CallerCodec {
  encode(caller: Caller): string
  /** `expired`: made with the key, by a clock that is far behind ours. */
  decode(text: string): Caller | 'expired' | undefined
}

type Rest = readonly [
  params: Readonly<Record<string, string>>,
  query: string,
  headers: Readonly<Record<string, string>>,
  contentType: string | 0,
]

/** The meta part of a `call` frame. 0 stands for what is absent. */
type CallMeta = readonly [
  contract: string,
  operation: string,
  from: string,
  remainingMs: number,
  traceparent: string,
  tracestate: string | 0,
  caller: string,
  key: string | 0,
  rest: Rest | 0,
  cancels: string | 0,
]

/**
 * The input as it travels: what the caller does to it afterwards no longer matters.
 * @throws when it is no JSON (a cycle, a bigint)
 */
export function encodeInput(input: CallInput): Uint8Array | string | undefined {
  return input.kind === 'rest' ? input.body : (JSON.stringify(input.value) as string | undefined)
}

export function callFlags({ input }: Call): number {
  if (input.kind === 'value') return 0
  return Flag.rest | (input.body === undefined ? 0 : Flag.body)
}

/** @throws RangeError when query, headers and caller are too large together */
export function encodeCallMeta(call: Call, remainingMs: number, callers: CallerCodec): string {
  const { input } = call
  const meta: CallMeta = [
    call.contract,
    call.operation,
    call.from,
    Math.max(1, Math.floor(remainingMs)),
    formatTraceparent(call.trace),
    call.trace.state ?? 0,
    callers.encode(call.caller),
    call.key ?? 0,
    input.kind === 'rest' ? [input.params, input.query, input.headers, input.contentType ?? 0] : 0,
    call.cancels ?? 0,
  ]
  const text = JSON.stringify(meta)
  if (text.length * 3 > metaMaxBytes && Buffer.byteLength(text) > metaMaxBytes) {
    throw new RangeError(`the call without its body is larger than ${metaMaxBytes} bytes`)
  }
  return text
}

/** A call as it arrived; the caller is not verified yet. */
export interface DecodedCall {
  readonly meta: CallMeta
  readonly flags: number
}

/** @throws LinkProtocolError */
export function decodeCall(meta: Buffer, flags: number): DecodedCall {
  let value: unknown
  try {
    value = JSON.parse(meta.toString('utf8'))
  } catch {
    throw new LinkProtocolError('malformed JSON in a call')
  }
  if (!isCallMeta(value)) throw new LinkProtocolError('malformed call')
  if ((value[8] === 0) === ((flags & Flag.rest) !== 0)) throw new LinkProtocolError('malformed call')
  return { meta: value, flags }
}

function isCallMeta(value: unknown): value is CallMeta {
  if (!Array.isArray(value) || value.length !== 10) return false
  const [contract, operation, from, remainingMs, traceparent, tracestate, caller, key, rest, cancels] =
    value as unknown[]
  return (
    typeof contract === 'string' &&
    typeof operation === 'string' &&
    typeof from === 'string' &&
    Number.isSafeInteger(remainingMs) &&
    (remainingMs as number) > 0 &&
    typeof traceparent === 'string' &&
    isStringOr0(tracestate) &&
    typeof caller === 'string' &&
    isStringOr0(key) &&
    (rest === 0 || isRest(rest)) &&
    isStringOr0(cancels)
  )
}

function isRest(value: unknown): value is Rest {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [params, query, headers, contentType] = value as unknown[]
  return isStrings(params) && typeof query === 'string' && isStrings(headers) && isStringOr0(contentType)
}

function isStringOr0(value: unknown): value is string | 0 {
  return value === 0 || typeof value === 'string'
}

function isStrings(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((item) => typeof item === 'string')
}

/** @throws LinkProtocolError when a value is no JSON */
export function decodeInput(call: DecodedCall, body: Buffer): CallInput {
  const rest = call.meta[8]
  if (rest === 0) return { kind: 'value', value: parseValue(body) }
  return {
    kind: 'rest',
    params: rest[0],
    query: rest[1],
    headers: rest[2],
    contentType: rest[3] === 0 ? undefined : rest[3],
    body: (call.flags & Flag.body) === 0 ? undefined : body,
  }
}

function parseValue(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new LinkProtocolError('malformed JSON in an input')
  }
}

export function traceOf({ meta }: DecodedCall): Call['trace'] {
  return parseTraceparent(meta[4], meta[5] === 0 ? undefined : meta[5]) ?? newTrace()
}

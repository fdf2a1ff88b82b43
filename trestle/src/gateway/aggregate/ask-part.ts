import { verdictOn } from '../../call/access-verdict.ts'
import { awaitReply } from '../../call/await-reply.ts'
import type { Reply } from '../../call/call.ts'
import { platformProblem, type Problem } from '../../call/problem.ts'
import { compileOperation } from '../../contract/compile-operation.ts'
import { parseJsonBytes } from '../../contract/json-bytes.ts'
import { wireSchema } from '../../contract/wire-schema.ts'
import { childSpan } from '../../std/trace-context.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { NamedPart } from './aggregate.ts'
import { labelOf } from './part.ts'

/** A part made ready to be asked, once, when the gateway starts. */
export interface OpenPart extends NamedPart {
  readonly label: string
  /** Positions of the parts that it reads, all before its own. */
  readonly reads: readonly number[]
  /** Another part reads it: its value is needed, not only its bytes. */
  readonly isRead: boolean
}

/** What became of a part. */
export type Outcome =
  | {
      readonly ok: true
      /** JSON as it goes into the reply. */
      readonly json: Uint8Array | string
      /** For those that read it. */
      readonly value: unknown
      /** Its reply is for this caller or this moment only. */
      readonly storable: boolean
    }
  | { readonly ok: false; readonly problem: Problem }

/** What all parts of one request have in common. */
export interface Asked {
  readonly request: EdgeRequest
  /** Of the aggregate's operation, as parsed. */
  readonly input: unknown
  readonly deadlineMs: number
  /** Aborts when the reply is decided without them. */
  readonly signal: AbortSignal
}

/** Asks the service of a part in the caller's name, after the same look at the caller's rights as for a direct call. */
export async function askPart(
  open: OpenPart,
  { request, input, deadlineMs, signal }: Asked,
  read: readonly unknown[],
  { send, clock, log }: Pick<GatewayContext, 'send' | 'clock' | 'log'>,
): Promise<Outcome> {
  const { part, label } = open
  const { operation } = part
  const { caller } = request
  const verdict = verdictOn(operation.access, caller)
  if (verdict !== 'allowed') return refusal(verdict, label)
  let value: unknown
  try {
    value = part.input({ input, caller }, ...read)
  } catch (error) {
    log.error({ err: error, traceId: request.trace.traceId, part: open.name }, 'the input of a part cannot be made')
    return refusal('internal', label)
  }
  const limitMs = part.timeoutMs ?? (operation.timeoutMs as number)
  const call = {
    contract: operation.contract.id,
    operation: operation.name,
    input: { kind: 'value', value },
    want: 'bytes',
    deadlineMs: Math.min(deadlineMs, clock.monotonic() + limitMs),
    caller,
    from: 'gateway',
    trace: childSpan(request.trace),
    key: undefined,
  } as const
  const reply = await awaitReply(send, call, clock, [request.http.signal, signal])
  return reply.ok ? written(open, reply) : { ok: false, problem: located(reply.problem, label) }
}

function refusal(code: 'unauthenticated' | 'forbidden' | 'internal' | 'bad_reply', instance: string): Outcome {
  return { ok: false, problem: platformProblem(code, { instance }) }
}

function located(problem: Problem, instance: string): Problem {
  return problem.instance === undefined ? { ...problem, instance } : problem
}

type Answered = Extract<Reply, { readonly ok: true }>

/** The service's bytes as they are where the reply declares what the service does; else what of them is declared. */
function written(open: OpenPart, { body, status, headers }: Answered): Outcome {
  const compiled = compileOperation(open.part.operation)
  const storable = !/no-store|private|no-cache/i.test(headers?.['cache-control'] ?? headers?.['Cache-Control'] ?? '')
  if (body.kind === 'empty') return refusal('bad_reply', open.label)
  let json: Uint8Array
  if (body.kind === 'bytes') json = body.bytes
  else {
    const made = compiled.serializeOutput(body.value, status)
    if (!made.ok) return refusal('bad_reply', open.label)
    json = made.bytes
  }
  let value: unknown
  if (open.isRead) {
    const parsed = compiled.parseReply(json, status)
    if (!parsed.ok) return refusal('bad_reply', open.label)
    value = parsed.value
  }
  if (open.asWritten) return { ok: true, json, value, storable }
  const parsed = parseJsonBytes(json)
  const declared = parsed.ok ? wireSchema(open.schema).stringify(parsed.value) : undefined
  return declared?.ok === true ? { ok: true, json: declared.json, value, storable } : refusal('bad_reply', open.label)
}

/** Makes the parts of an aggregate ready. */
export function openParts(parts: readonly NamedPart[]): readonly OpenPart[] {
  const places = new Map(parts.map(({ part }, at) => [part, at]))
  const read = new Set(parts.flatMap(({ part }) => part.reads))
  return parts.map((named) => ({
    ...named,
    label: labelOf(named.part.operation),
    reads: named.part.reads.map((one) => places.get(one) as number),
    isRead: read.has(named.part),
  }))
}

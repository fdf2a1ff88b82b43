import { verdictOn } from '../../call/access-verdict.ts'
import { platformProblem } from '../../call/problem.ts'
import type { Access } from '../../contract/access.ts'
import { parseJsonBytes } from '../../contract/json-bytes.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'
import type { HttpRequest, HttpResponse, RequestBody } from '../../http/message.ts'
import type { Outcome } from '../aggregate/ask-part.ts'
import { collectBody, discardBody } from '../cache/collect-body.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { ruledHeaders } from '../header-rules/ruled-headers.ts'
import { composePolicies, type EdgeHandler } from '../policy/policy.ts'
import { Refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { openForwarder } from '../upstream/open-upstream.ts'
import { failureOf } from '../upstream/upstream-failure.ts'
import type { CombineSpec, NamedUpstream } from './combine.ts'

/** A part made ready to be asked. */
export interface OpenCombinedPart {
  readonly name: string
  readonly access: Access
  readonly optional: boolean
  readonly query: ReadonlySet<string>
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly handle: EdgeHandler
  readonly report: NonNullable<OpenRoute['upstreams']>[number]
}

export async function openCombinedPart(
  { name, upstream, optional, query }: NamedUpstream,
  { pattern, hosts, partMaxBytes }: CombineSpec,
  context: GatewayContext,
): Promise<OpenCombinedPart> {
  const { access, timeoutMs, policies } = upstream
  const { answer, report } = await openForwarder(upstream, context)
  const facts = { method: 'GET', template: pattern, hosts, name, access, target: 'upstream', cost: 0 } as const
  const { handle } = await composePolicies(policies, facts, context, answer)
  return { name, access, optional, query: new Set(query), timeoutMs, maxBytes: partMaxBytes, handle, report }
}

/** Why the caller may not ask for a part; `undefined`: they may. */
export function barredFrom(part: OpenCombinedPart, { caller }: EdgeRequest): Outcome | undefined {
  const verdict = verdictOn(part.access, caller)
  return verdict === 'allowed' ? undefined : missing(part, verdict)
}

/** Asks the upstream of a part; its JSON as it is, or why there is none. */
export async function askUpstream(
  part: OpenCombinedPart,
  request: EdgeRequest,
  done: AbortSignal,
  { clock }: GatewayContext,
): Promise<Outcome> {
  const barred = barredFrom(part, request)
  if (barred !== undefined) return barred
  const late = new AbortController()
  // The forwarder's own time-out ends with the head of the reply.
  const timer = clock.setTimeout(() => late.abort(), part.timeoutMs)
  const signal = AbortSignal.any([request.http.signal, done, late.signal])
  try {
    return await outcomeOf(part, await part.handle(requestOf(part, request, signal)))
  } catch (error) {
    if (late.signal.aborted) return missing(part, 'deadline_exceeded', 'The upstream did not answer in time')
    const failure = failureOf(error)
    if (!(failure instanceof Refused)) throw error
    return { ok: false, problem: { ...failure.problem, instance: part.name } }
  } finally {
    timer.cancel()
  }
}

async function outcomeOf(part: OpenCombinedPart, reply: HttpResponse): Promise<Outcome> {
  const { status } = reply
  const field = (name: string) => reply.headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? ''
  const isJson = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(field('content-type'))
  if (status !== 200 || !isJson || field('content-encoding') !== '') {
    await discardBody(reply)
    if (status === 404) return missing(part, 'not_found')
    return missing(
      part,
      'bad_gateway',
      status === 200 ? 'The upstream sent no JSON' : `The upstream answered ${status}`,
    )
  }
  const collected = await collectBody(reply, part.maxBytes)
  if (!collected.whole) {
    await discardBody(collected.response)
    return missing(part, 'bad_gateway', `The upstream sent more than ${part.maxBytes} bytes`)
  }
  // What is not one whole value would become something else in the middle of another.
  const parsed = parseJsonBytes(collected.body)
  if (!parsed.ok) return missing(part, 'bad_gateway', 'The upstream sent no JSON')
  const storable = !/no-store|private|no-cache/i.test(field('cache-control'))
  return { ok: true, json: collected.body, value: undefined, storable }
}

function missing({ name }: OpenCombinedPart, code: PlatformCode, detail?: string): Outcome {
  const extra = detail === undefined ? { instance: name } : { instance: name, detail }
  return { ok: false, problem: platformProblem(code, extra) }
}

const noBody: RequestBody = {
  present: false,
  bytes: () => Promise.resolve(new Uint8Array()),
  async *stream() {},
}

/** What is about the reply as a whole, and what is about a body, says nothing to a part. */
const ofTheWhole = {
  dropped: new Set([
    'accept',
    'accept-encoding',
    'content-type',
    'content-encoding',
    'if-match',
    'if-modified-since',
    'if-none-match',
    'if-range',
    'if-unmodified-since',
    'range',
  ]),
  added: [['accept', 'application/json']] as const,
}

function requestOf({ query }: OpenCombinedPart, request: EdgeRequest, signal: AbortSignal): EdgeRequest {
  const { target, headers, remoteAddress, encrypted } = request.http
  const http: HttpRequest = { method: 'GET', target, headers, body: noBody, remoteAddress, encrypted, signal }
  return {
    ...request,
    http,
    headers: ruledHeaders(request.headers, ofTheWhole),
    query: chosen(request.query, query),
    replyHeaders: [],
    notes: { ...request.notes },
  }
}

/** Parameters as they were written, those with a name that was asked for. */
function chosen(query: string, names: ReadonlySet<string>): string {
  if (names.size === 0 || query === '') return ''
  return query
    .split('&')
    .filter((parameter) => names.has(nameOf(parameter) ?? ''))
    .join('&')
}

function nameOf(parameter: string): string | undefined {
  return new URLSearchParams(parameter).keys().next().value
}

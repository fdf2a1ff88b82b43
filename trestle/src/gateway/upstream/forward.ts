import type { ClientResponse, HttpClient, HttpResponse } from '../../http/message.ts'
import { HttpError } from '../../http/message.ts'
import type { Attempt, Cluster, NoAttempt } from '../../registry/cluster.ts'
import type { Clock } from '../../std/clock.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeHandler } from '../policy/policy.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { type OpenHeaderRules, openHeaderRules } from './header-rules.ts'
import { openPathRewrite } from './path-rewrite.ts'
import { type OutgoingBody, outgoingBody } from './request-body.ts'
import { callerFields, requestFields } from './request-fields.ts'
import { responseFields } from './response-fields.ts'
import type { Target } from './target.ts'
import type { UpstreamSpec } from './upstream.ts'
import { failureOf, isTurnedAway, outcomeOf, outcomeOfStatus } from './upstream-failure.ts'

export interface ForwardDeps {
  readonly cluster: Cluster<Target>
  readonly http: HttpClient
  readonly clock: Clock
  readonly random: () => number
}

/** A request as all its attempts have it in common. */
interface Outgoing {
  readonly request: EdgeRequest
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: OutgoingBody
  readonly repeats: boolean
  readonly deadlineMs: number
}

/** Asking again changes nothing more. Source: RFC 9110, section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const firstPauseMs = 25
const longestPauseMs = 250

/** Makes what answers at an upstream's address: it passes the request on, again where that can do no harm. */
export function forwarder(spec: UpstreamSpec, deps: ForwardDeps): EdgeHandler {
  const rewritten = openPathRewrite(spec.rewrite)
  const requestRules = openHeaderRules(spec.headers.request)
  const responseRules = openHeaderRules(spec.headers.response)

  return async (request) => {
    const { http } = request
    if (http.method === 'TRACE') throw refused('method_not_allowed', { detail: 'TRACE would show what is secret' })
    const path = rewritten(request.path)
    const repeats = idempotent.has(http.method)
    const body = await outgoingBody(http, spec.bodyMaxBytes, repeats && spec.retries > 0, request.notes)
    const fields = requestFields(request, requestRules)
    if (spec.identity) fields.push(...callerFields(request.caller))
    const outgoing: Outgoing = {
      request,
      target: request.query === '' ? path : `${path}?${request.query}`,
      fields,
      body,
      repeats,
      deadlineMs: deps.clock.monotonic() + spec.timeoutMs,
    }
    return toResponse(await answered(spec, deps, outgoing), http.method, responseRules)
  }
}

/** Asks one target after the other. @throws Refused, HttpError of the client's own body */
async function answered(spec: UpstreamSpec, deps: ForwardDeps, outgoing: Outgoing): Promise<ClientResponse> {
  const tried: string[] = []
  let failure: unknown
  for (let retries = 0; ; retries += 1) {
    const attempt = deps.cluster.begin(tried)
    if ('refused' in attempt) throw failure ?? noTarget(attempt)
    tried.push(attempt.id)
    const last = retries >= spec.retries
    try {
      const reply = await ask(spec, deps, outgoing, attempt)
      attempt.end(outcomeOfStatus(reply.status))
      if (last || !isTurnedAway(reply.status) || !mayRepeat(deps, outgoing, 'unknown')) return reply
      await reply.discard()
      failure = refused('unavailable', { detail: `The upstream answered ${reply.status}` })
    } catch (error) {
      attempt.end(outcomeOf(error))
      failure = failureOf(error)
      if (last || failure === error || !mayRepeat(deps, outgoing, wasSent(error))) throw failure
    }
    await pause(deps, retries)
  }
}

function wasSent(error: unknown): 'no' | 'unknown' {
  return error instanceof HttpError && error.code === 'connect_failed' ? 'no' : 'unknown'
}

function mayRepeat({ cluster, clock }: ForwardDeps, { body, repeats, deadlineMs }: Outgoing, sent: 'no' | 'unknown') {
  return (sent === 'no' || repeats) && body.repeatable() && clock.monotonic() < deadlineMs && cluster.mayRetry()
}

/** Full jitter: those who were refused together do not come back together. */
function pause({ clock, random }: ForwardDeps, retries: number): Promise<void> {
  const longestMs = Math.min(longestPauseMs, firstPauseMs * 2 ** retries)
  return new Promise((resolve) => void clock.setTimeout(resolve, random() * longestMs))
}

function ask(
  spec: UpstreamSpec,
  { http, clock }: ForwardDeps,
  { request, target, fields, body, deadlineMs }: Outgoing,
  { target: { url, origin, host, basePath } }: Attempt<Target>,
): Promise<ClientResponse> {
  request.notes.upstream = url
  const timeoutMs = Math.max(1, Math.ceil(deadlineMs - clock.monotonic()))
  const named = spec.host === 'keep' ? (request.http.headers.get('host') ?? host) : host
  const headers = [['host', named] as const, ...fields, ['trestle-timeout-ms', String(timeoutMs)] as const]
  return http.request({
    method: request.http.method,
    origin,
    target: basePath + target,
    headers,
    ...(body.body === undefined ? {} : { body: body.body }),
    signal: request.http.signal,
    timeoutMs,
  })
}

function noTarget({ refused: why, retryAfterMs }: NoAttempt) {
  if (why === 'overloaded') return refused('overloaded', { retryAfterMs })
  const detail = why === 'breaker_open' ? 'The upstream has failed too often' : 'The upstream has no target to ask'
  return refused('unavailable', { detail, retryAfterMs })
}

async function toResponse(reply: ClientResponse, method: string, rules: OpenHeaderRules): Promise<HttpResponse> {
  const { status } = reply
  const headers = responseFields(reply.headers, rules)
  if (method !== 'HEAD' && status !== 204 && status !== 304) {
    // What has come whole with its head goes out in one piece.
    return { status, headers, body: reply.arrived?.() ?? reply.stream() }
  }
  await reply.discard()
  return { status, headers }
}

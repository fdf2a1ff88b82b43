import { type ClientResponse, type HttpClient, HttpError, type HttpResponse } from '../../http/message.ts'
import type { Attempt, Cluster, NoAttempt } from '../../registry/cluster.ts'
import type { Clock } from '../../std/clock.ts'
import type { EdgeHandler } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { type OpenHeaderRules, openHeaderRules } from './header-rules.ts'
import { openLocation } from './location.ts'
import type { Mirror } from './mirror.ts'
import { openPathRewrite } from './path-rewrite.ts'
import { type BodyUse, type OutgoingBody, outgoingBody } from './request-body.ts'
import { callerFields, type Field, requestFields } from './request-fields.ts'
import { responseFields } from './response-fields.ts'
import type { Target } from './target.ts'
import { failureOf, isTurnedAway, outcomeOf, outcomeOfStatus } from './upstream-failure.ts'
import type { UpstreamSpec } from './upstream.ts'

export interface ForwardDeps {
  readonly cluster: Cluster<Target>
  readonly http: HttpClient
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
  readonly mirror: Mirror | undefined
}

/** A request as all its attempts have it in common. */
interface Outgoing {
  readonly request: EdgeRequest
  readonly target: string
  readonly fields: readonly Field[]
  readonly body: OutgoingBody
  readonly repeats: boolean
  readonly deadlineMs: number
}

interface Answered {
  readonly reply: ClientResponse
  readonly from: Target
}

/** Asking again changes nothing more. Source: RFC 9110, section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const firstPauseMs = 25
const longestPauseMs = 250

/** Makes what answers at an upstream's address: it passes the request on, again where that can do no harm. */
export function forwarder(spec: UpstreamSpec, deps: ForwardDeps): EdgeHandler {
  const rewritten = openPathRewrite(spec.rewrite)
  const requestRules = withOneMethod(spec, openHeaderRules(spec.headers.request))
  const responseRules = openHeaderRules(spec.headers.response)
  const located = openLocation(spec.rewrite)
  const { mirror, clock } = deps

  return async (request) => {
    const { http, query } = request
    const { method } = http
    if (method === 'TRACE') throw refused('method_not_allowed', { detail: 'TRACE would show what is secret' })
    const deadlineMs = clock.monotonic() + spec.timeoutMs
    const path = rewritten(request.path)
    const target = query === '' ? path : `${path}?${query}`
    const fields = requestFields(request, requestRules)
    if (spec.identity) fields.push(...callerFields(request.caller))
    const repeats = idempotent.has(method)
    const use: BodyUse = {
      maxBytes: spec.bodyMaxBytes,
      repeats: repeats && spec.retries > 0,
      copy: mirror?.chooses() === true ? (body) => mirror.send({ method, target, fields, body }) : undefined,
    }
    const body = await outgoingBody(http, use, request.notes)
    if (clock.monotonic() >= deadlineMs) throw tooSlow()
    const { reply, from } = await answered(spec, deps, { request, target, fields, body, repeats, deadlineMs })
    const headers = responseFields(reply.headers, responseRules, (location) => located(location, from))
    return await toResponse(reply, headers, method)
  }
}

/** What some servers do instead of what the method says. */
const otherMethods = ['x-http-method', 'x-http-method-override', 'x-method-override']

/** Where the method decides what may pass, the upstream learns of no other one. */
function withOneMethod({ methods, openapi }: UpstreamSpec, rules: OpenHeaderRules): OpenHeaderRules {
  if (methods.includes('*') && openapi === undefined) return rules
  return { ...rules, dropped: new Set([...rules.dropped, ...otherMethods]) }
}

/** Asks one target after the other. @throws Refused, HttpError of the client's own body */
async function answered(spec: UpstreamSpec, deps: ForwardDeps, outgoing: Outgoing): Promise<Answered> {
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
      // Where nobody else is left to ask, the client gets what this one says, and when it wants to be asked again.
      const all = tried.length >= spec.targets.length
      if (last || all || !isTurnedAway(reply.status) || !mayRepeat(deps, outgoing, 'unknown')) {
        return { reply, from: attempt.target }
      }
      if (reply.arrived?.() === undefined) await reply.discard()
      failure = refused('unavailable', { detail: `The upstream answered ${reply.status}` })
    } catch (error) {
      if (isLate(error) && outgoing.body.owed()) {
        attempt.end('abandoned')
        throw tooSlow()
      }
      attempt.end(outcomeOf(error))
      failure = failureOf(error)
      if (last || failure === error || !mayRepeat(deps, outgoing, wasSent(error))) throw failure
    }
    await pause(deps, retries)
  }
}

function wasSent(error: unknown): 'no' | 'unknown' {
  const unsent = error instanceof HttpError && (error.code === 'connect_failed' || error.code === 'untrusted')
  return unsent ? 'no' : 'unknown'
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
  attempt: Attempt<Target>,
): Promise<ClientResponse> {
  const { url, origin, host, basePath } = attempt.target
  request.notes.upstream = url
  const { method, headers } = request.http
  const signal = request.http.gone ?? request.http.signal
  const timeoutMs = Math.max(1, Math.ceil(deadlineMs - clock.monotonic()))
  const named = spec.host === 'keep' ? (headers.get('host') ?? host) : host
  const all: Field[] = [['host', named], ...fields, ['trestle-timeout-ms', String(timeoutMs)]]
  if (body.length !== undefined) all.push(['content-length', body.length])
  const times = { timeoutMs, bodyIdleTimeoutMs: spec.idleTimeoutMs }
  const sent = { method, origin, target: basePath + target, headers: all, signal, ...times }
  const bytes = body.open((whom) => attempt.waitFor(whom))
  return http.request(bytes === undefined ? sent : { ...sent, body: bytes })
}

function isLate(error: unknown): boolean {
  return error instanceof HttpError && error.code === 'timeout'
}

/** What the client did not send in time says nothing of the upstream. */
function tooSlow() {
  return refused('request_timeout', { detail: 'The body did not arrive in time' })
}

function noTarget({ refused: why, retryAfterMs }: NoAttempt) {
  if (why === 'overloaded') return refused('overloaded', { retryAfterMs })
  const detail = why === 'breaker_open' ? 'The upstream has failed too often' : 'The upstream has no target to ask'
  return refused('unavailable', { detail, retryAfterMs })
}

async function toResponse(
  reply: ClientResponse,
  headers: HttpResponse['headers'],
  method: string,
): Promise<HttpResponse> {
  const { status } = reply
  // What has come whole with its head goes out in one piece.
  const whole = reply.arrived?.()
  if (method !== 'HEAD' && status !== 204 && status !== 304) {
    return { status, headers, body: whole ?? reply.stream() }
  }
  if (whole === undefined) await reply.discard()
  return { status, headers }
}

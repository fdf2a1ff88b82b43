import type { HttpResponse } from '../../http/message.ts'
import { BoundedMap } from '../../std/bounded-map.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Advice, EdgeHandler, RouteFacts } from '../policy/policy.ts'
import { Refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { CacheSpec } from './cache.ts'
import { cacheDirectives } from './cache-directives.ts'
import { type CacheableRequest, cacheableRequest, conditional } from './cache-key.ts'
import { collectBody, discardBody } from './collect-body.ts'
import { invalidating } from './invalidate.ts'
import { isNotModified, saidOfNotModified } from './not-modified.ts'
import type { ReplyCache } from './reply-cache.ts'
import { ageMs, lifetimeOf, mergedHeaders, type StoredReply, storedReply } from './stored-reply.ts'

/** What a fetch came to: a reply for all who wait, or one for the first alone. */
type Outcome = { readonly shared: StoredReply; readonly stale: boolean } | { readonly own: HttpResponse }

/** How long nobody waits for others where a reply could not be shared, and how many such keys are known. */
const unsharedMs = 5_000
const unsharedMax = 10_000

/** The cache in front of a route; what changes something empties what is stored of its path. */
export function cacheAdvice(
  { method }: RouteFacts,
  spec: CacheSpec,
  replies: ReplyCache,
  context: GatewayContext,
): Advice | undefined {
  const change = invalidating(replies)
  const read = reading(spec, replies, context)
  if (method === 'GET' || method === 'HEAD') return read
  if (method === 'OPTIONS' || method === 'TRACE') return undefined
  if (method !== '*') return change
  return (request, next) => {
    const asked = request.http.method
    if (asked === 'GET' || asked === 'HEAD') return read(request, next)
    return asked === 'OPTIONS' || asked === 'TRACE' ? next(request) : change(request, next)
  }
}

function reading(spec: CacheSpec, replies: ReplyCache, { clock, metrics, log }: GatewayContext): Advice {
  const unshared = new BoundedMap<string, number>(unsharedMax)
  const outcomes = metrics.counter('trestle_gateway_cache_requests_total', {
    help: 'Requests that came to a cache, by what became of them.',
    labels: ['outcome'],
  })
  const counted = { hit: outcomes.with('hit'), stale: outcomes.with('stale'), miss: outcomes.with('miss') }
  const bypassed = outcomes.with('bypass')

  return (request, next) => {
    const found = cacheableRequest(request, spec)
    if (typeof found === 'string' || request.headers.has('range')) {
      bypassed.add()
      const why = typeof found === 'string' ? found : 'range'
      request.replyHeaders.push(['Cache-Status', `trestle; fwd=bypass; detail="${why.slice(0, 64)}"`])
      return next(request)
    }
    return answer(request, found, next)
  }

  async function answer(request: EdgeRequest, asked: CacheableRequest, next: EdgeHandler): Promise<HttpResponse> {
    const stored = replies.get(asked.key)
    const wish = cacheDirectives(request.headers.get('cache-control'))
    if (stored !== undefined) {
      const age = ageMs(stored, clock.monotonic())
      const wanted = age <= (wish.ms('max-age') ?? Number.POSITIVE_INFINITY) && !wish.has('no-cache')
      if (wanted && age < stored.freshMs) return show(request, stored, 'hit')
      if (wanted && age < stored.freshMs + stored.staleWhileRevalidateMs) {
        refreshLater(asked, next, stored)
        return show(request, stored, 'stale')
      }
    }
    if (request.http.method === 'HEAD' || wish.has('no-store')) {
      counted.miss.add()
      return next(request)
    }
    return fetched(request, asked, next, stored)
  }

  /** What came of asking for it: once for all who ask at the same time. */
  async function fetched(
    request: EdgeRequest,
    asked: CacheableRequest,
    next: EdgeHandler,
    stored: StoredReply | undefined,
  ): Promise<HttpResponse> {
    const { key, pathKey } = asked
    const running = replies.fetching<Outcome>(key)
    if (running !== undefined) {
      const outcome = await running.outcome
      if ('shared' in outcome) return show(request, outcome.shared, outcome.stale ? 'stale' : 'collapsed')
      counted.miss.add()
      return next(request)
    }
    const alone = (unshared.get(key) ?? 0) > clock.monotonic()
    const work = (isOutdated: () => boolean) => fetchOne(asked, next, stored, isOutdated)
    const outcome = await (alone ? work(() => false) : replies.fetch(key, pathKey, work))
    request.notes.upstream = asked.request.notes.upstream
    if ('shared' in outcome) return show(request, outcome.shared, outcome.stale ? 'stale' : 'miss')
    unshared.set(key, clock.monotonic() + unsharedMs)
    counted.miss.add()
    request.replyHeaders.push(['Cache-Status', 'trestle; fwd=miss'])
    return outcome.own
  }

  async function fetchOne(
    { key, pathKey, request }: CacheableRequest,
    next: EdgeHandler,
    stored: StoredReply | undefined,
    isOutdated: () => boolean,
  ): Promise<Outcome> {
    const askedAtMs = clock.monotonic()
    const asks = stored === undefined ? request : conditional(request, stored)
    const usable = () =>
      stored !== undefined && ageMs(stored, clock.monotonic()) < stored.freshMs + stored.staleIfErrorMs
        ? stored
        : undefined
    let came: HttpResponse
    try {
      came = await next(asks)
    } catch (error) {
      const standIn = isServerFailure(error) ? usable() : undefined
      if (standIn === undefined) throw error
      return { shared: standIn, stale: true }
    }
    const response = { ...came, headers: [...came.headers, ...asks.replyHeaders] }
    if (response.status >= 500) {
      const standIn = usable()
      if (standIn === undefined) return { own: response }
      await discardBody(response)
      return { shared: standIn, stale: true }
    }
    const confirmed = response.status === 304 && stored !== undefined
    const full = confirmed
      ? { ...response, status: stored.status, headers: mergedHeaders(stored.headers, response.headers) }
      : response
    const lifetime = lifetimeOf(full, spec, clock.now())
    if (lifetime === undefined && !confirmed) {
      replies.delete(key)
      return { own: response }
    }
    const collected = confirmed
      ? ({ whole: true, body: stored.body } as const)
      : await collectBody(full, spec.maxEntryBytes)
    if (!collected.whole) return { own: collected.response }
    const expired = { initialAgeMs: 0, freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }
    const reply = storedReply(full, collected.body, lifetime ?? expired, { pathKey, askedAtMs })
    if (lifetime === undefined) replies.delete(key)
    else if (!isOutdated()) replies.set(key, reply)
    return { shared: reply, stale: false }
  }

  function refreshLater(asked: CacheableRequest, next: EdgeHandler, stored: StoredReply): void {
    if (replies.fetching(asked.key) !== undefined) return
    const work = (isOutdated: () => boolean) => fetchOne(asked, next, stored, isOutdated)
    replies.fetch(asked.key, asked.pathKey, work).then(
      (outcome) => ('own' in outcome ? discardBody(outcome.own) : undefined),
      (error: unknown) => log.warn({ err: error, path: asked.request.path }, 'a stale reply could not be refreshed'),
    )
  }

  function show(request: EdgeRequest, stored: StoredReply, how: 'hit' | 'stale' | 'miss' | 'collapsed'): HttpResponse {
    const age = ageMs(stored, clock.monotonic())
    counted[how === 'collapsed' ? 'miss' : how].add()
    const ttl = Math.floor((stored.freshMs - age) / 1_000)
    const said = {
      hit: `hit; ttl=${ttl}`,
      stale: `hit; ttl=${ttl}; detail=stale`,
      miss: 'fwd=miss',
      collapsed: 'fwd=miss; collapsed',
    }
    request.replyHeaders.push(['Cache-Status', `trestle; ${said[how]}`])
    if (how !== 'miss') {
      request.notes.cached = true
      request.replyHeaders.push(['Age', String(Math.floor(age / 1_000))])
    }
    const { status, headers, body } = stored
    if (isNotModified(request.headers, stored)) {
      return { status: 304, headers: headers.filter(([name]) => saidOfNotModified.test(name)) }
    }
    return body.length === 0 && status === 204 ? { status, headers } : { status, headers, body }
  }
}

/** The one who makes the reply failed, not the one who asks for it. */
function isServerFailure(error: unknown): boolean {
  return !(error instanceof Refused) || error.problem.status >= 500
}

import type { HttpResponse } from '../../http/message.ts'
import type { Policy } from '../policy/policy.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { originRule } from './origin-rule.ts'
import { answerPreflight, isPreflight, type PreflightRule } from './preflight.ts'

/** Which pages of other origins may ask, and what they may see. */
export interface CorsOptions {
  /** `https://app.example.com`, `https://*.example.com` for any one label there, or `'*'` for every page of the web. */
  readonly origins: '*' | readonly string[]
  /** Methods that they may use; default: every method that the route has. */
  readonly methods?: readonly string[]
  /** Header fields that they may send besides the harmless ones; default `Authorization`, `Content-Type`, `Idempotency-Key`,
   * `If-Match`, `If-None-Match`, `X-Api-Key`, `X-Request-Id`, `Traceparent`; `'*'`: whatever they ask for. */
  readonly headers?: '*' | readonly string[]
  /** Header fields of replies that they may read; default those that the gateway sets: limits, ids, `ETag`, `Link`, `Location`. */
  readonly exposedHeaders?: readonly string[]
  /** Whether a browser sends cookies and client certificates along; default `false`. Not together with `origins: '*'`. */
  readonly credentials?: boolean
  /** How long a browser may remember a preflight, 0 to 86,400,000; default 600,000. */
  readonly maxAgeMs?: number
}

const sendable = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Api-Key',
  'X-Request-Id',
  'Traceparent',
]
const readable = [
  'RateLimit-Policy',
  'RateLimit',
  'Retry-After',
  'Idempotency-Replayed',
  'X-Request-Id',
  'Trestle-Trace-Id',
  'Trestle-Partial',
  'ETag',
  'Link',
  'Location',
]
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const ours = /^access-control-/i

/**
 * Lets pages of other origins ask. A preflight is answered by the gateway, before anybody is asked who it is, with the rule
 * of the route that has the method asked for; what an upstream says about origins is replaced. Every reply from this stage
 * on, also a refusal, says so. A route's own `cors` holds instead of the gateway's. Source: Fetch standard, CORS protocol.
 * @throws TypeError for an origin that is none, and for `'*'` with credentials
 * @example gateway({ routes, policies: [cors({ origins: ['https://app.example.com'], credentials: true })] })
 */
export function cors(options: CorsOptions): Policy {
  const { origins, credentials = false, methods, headers = sendable, exposedHeaders = readable } = options
  const { maxAgeMs = 600_000 } = options
  if (origins === '*' && credentials) {
    throw new TypeError("cors: credentials for every origin would hand users' data to any page; list the origins")
  }
  for (const name of [...(methods ?? []), ...(headers === '*' ? [] : headers), ...exposedHeaders]) {
    if (!token.test(name)) throw new TypeError(`cors: ${JSON.stringify(name)} is no method and no header field`)
  }
  if (!(maxAgeMs >= 0 && maxAgeMs <= 86_400_000)) {
    throw new TypeError(`cors: maxAgeMs must be from 0 to 86,400,000, not ${maxAgeMs}`)
  }
  const allows = originRule(origins)
  const exposed = exposedHeaders.join(', ')

  /** Says to whom the reply may be shown; `false`: to no page of another origin. */
  const admit = ({ headers: sent, replyHeaders }: EdgeRequest): boolean => {
    if (origins !== '*') replyHeaders.push(['Vary', 'Origin'])
    const origin = sent.get('origin')
    if (origin === undefined || !allows(origin)) return false
    replyHeaders.push(['Access-Control-Allow-Origin', origins === '*' ? '*' : origin])
    if (credentials) replyHeaders.push(['Access-Control-Allow-Credentials', 'true'])
    return true
  }

  return {
    kind: 'policy',
    name: 'cors',
    stage: 'cors',
    open(route) {
      const rule: PreflightRule = {
        methods: methods ?? (route.method === '*' ? '*' : [route.method, ...(route.method === 'GET' ? ['HEAD'] : [])]),
        headers,
        maxAgeSeconds: String(Math.floor(maxAgeMs / 1_000)),
      }
      return (request, next) => {
        const admitted = admit(request)
        if (isPreflight(request)) return answerPreflight(request, admitted ? rule : undefined)
        if (admitted && exposed !== '') request.replyHeaders.push(['Access-Control-Expose-Headers', exposed])
        const reply = next(request)
        return reply instanceof Promise ? reply.then(withoutOrigins) : withoutOrigins(reply)
      }
    },
  }
}

/** Two answers to one question would be none for a browser. */
function withoutOrigins(reply: HttpResponse): HttpResponse {
  if (!reply.headers.some(([name]) => ours.test(name))) return reply
  return { ...reply, headers: reply.headers.filter(([name]) => !ours.test(name)) }
}

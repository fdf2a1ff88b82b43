import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

/** What a browser learns when it asks before it asks. */
export interface PreflightRule {
  /** `'*'`: whichever is asked for. */
  readonly methods: '*' | readonly string[]
  /** `'*'`: whichever are asked for. */
  readonly headers: '*' | readonly string[]
  readonly maxAgeSeconds: string
}

/** What the answer goes by; a cache between must not take it for another one. */
const vary: readonly [string, string] = ['Vary', 'Access-Control-Request-Method, Access-Control-Request-Headers']
const tokens = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/
const askedMaxLength = 2_048

/** The method that a browser wants to use; `undefined`: this is no preflight. */
export function methodAskedFor(method: string, headers: EdgeRequest['headers']): string | undefined {
  if (method !== 'OPTIONS' || !headers.has('origin')) return undefined
  return headers.get('access-control-request-method')
}

export function isPreflight({ http, headers }: EdgeRequest): boolean {
  return http.method === 'OPTIONS' && methodAskedFor(http.method, headers) !== undefined
}

/** @param rule `undefined`: pages of this origin may not ask, which is said by saying nothing */
export function answerPreflight(request: EdgeRequest, rule: PreflightRule | undefined): HttpResponse {
  if (rule === undefined) return { status: 204, headers: [vary] }
  const asked = request.headers.get('access-control-request-method') ?? ''
  const methods = rule.methods === '*' ? (tokens.test(asked) ? asked : '') : rule.methods.join(', ')
  const fields: HeaderFields = [
    ['Access-Control-Allow-Methods', methods],
    ['Access-Control-Allow-Headers', allowedHeaders(rule, request.headers.get('access-control-request-headers'))],
    ['Access-Control-Max-Age', rule.maxAgeSeconds],
  ]
  return { status: 204, headers: [vary, ...fields.filter(([, value]) => value !== '')] }
}

function allowedHeaders({ headers }: PreflightRule, asked: string | undefined): string {
  if (headers !== '*') return headers.join(', ')
  return asked !== undefined && asked.length <= askedMaxLength && tokens.test(asked) ? asked : ''
}

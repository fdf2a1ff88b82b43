import type { ProblemMembers } from 'trestle/gateway'

type Problem = Parameters<ProblemMembers>[0]

/** The documented names, by status, and what they say. */
const names: Readonly<Record<number, readonly [name: string, message: string]>> = {
  400: ['INVALID_REQUEST', 'Request is not well-formed, syntactically incorrect, or violates schema.'],
  401: ['AUTHENTICATION_FAILURE', 'Authentication failed due to missing or invalid credentials.'],
  403: ['NOT_AUTHORIZED', 'Authorization failed due to insufficient permissions.'],
  404: ['RESOURCE_NOT_FOUND', 'The specified resource does not exist.'],
  405: ['METHOD_NOT_SUPPORTED', 'The server does not implement the requested HTTP method.'],
  409: ['RESOURCE_CONFLICT', 'The server has detected a conflict while processing this request.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'The server does not support the media type of the request.'],
  422: ['UNPROCESSABLE_ENTITY', 'The requested action could not be performed, or is semantically incorrect.'],
  429: ['RATE_LIMIT_REACHED', 'Too many requests. Blocked due to rate limiting.'],
  500: ['INTERNAL_SERVER_ERROR', 'An internal server error has occurred.'],
  503: ['SERVICE_UNAVAILABLE', 'Service unavailable. Try again later.'],
}

/**
 * The members that errors of this API are documented with, beside those of a problem: `name`, `message`, `debug_id`,
 * `details`, `links`; where tokens are given out, `error` and `error_description` (RFC 6749 section 5.2).
 */
export const restErrors: ProblemMembers = (problem, { traceId, path }) => {
  if (path?.startsWith('/v1/oauth2/')) return oauthError(problem)
  const [name, message] = names[problem.status] ?? names[problem.status < 500 ? 400 : 500] ?? []
  return {
    name,
    message,
    debug_id: problem.traceId ?? traceId,
    details: issuesOf(problem),
    links: [{ href: '/openapi.json', rel: 'information_link', method: 'GET' }],
  }
}

/** A declared code is the issue's name in small letters. */
function issuesOf({ code, declared, detail, title, errors }: Problem): readonly object[] {
  if (declared) return [{ issue: code.toUpperCase(), description: detail ?? title }]
  return (errors ?? []).map((fault) => ({
    field: fault.pointer,
    issue: 'INVALID_PARAMETER_VALUE',
    // What is wrong with the body as a whole is a sentence of its own.
    description:
      fault.pointer === '' ? `${fault.detail[0]?.toUpperCase()}${fault.detail.slice(1)}` : `The value ${fault.detail}`,
  }))
}

function oauthError({ code, status, declared, detail, title }: Problem) {
  return { error: declared ? code : oauthCode(status), error_description: detail ?? title }
}

function oauthCode(status: number): string {
  if (status === 401 || status === 403) return 'invalid_client'
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}

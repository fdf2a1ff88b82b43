import { type Problem, type ProblemExtra, platformProblem } from '../../call/problem.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'
import type { HeaderFields, HttpResponse } from '../../http/message.ts'

/** Why a request is not answered with what it asked for: thrown inside the gateway, never outside. */
export class Refused extends Error {
  readonly problem: Problem
  readonly headers: HeaderFields
  constructor(problem: Problem, headers: HeaderFields = []) {
    super(problem.code)
    this.problem = problem
    this.headers = headers
  }
}

/** Ends a request with one of the platform's problems. */
export function refused(code: PlatformCode, extra: ProblemExtra = {}, headers: HeaderFields = []): Refused {
  return new Refused(platformProblem(code, extra), headers)
}

const defaultRetryAfterMs = 1_000

/**
 * Further members of a problem, for an API that has promised another form of its errors: those stand beside the members
 * that every failure has, in one object. Source: RFC 9457 section 3.2. A member that the platform has too is replaced.
 * @example (problem) => ({ error: problem.code, error_description: problem.title })
 */
export type ProblemMembers = (
  problem: Problem,
  about: { readonly traceId: string; readonly path: string | undefined },
) => Readonly<Record<string, unknown>>

/** A problem as an HTTP reply. Source: RFC 9457. */
export function problemResponse(
  problem: Problem,
  traceId: string,
  path: string | undefined,
  members?: ProblemMembers,
): HttpResponse {
  const body = problemBody(problem, traceId, path)
  return {
    status: problem.status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
      ...retryAfter(problem),
      ...replayed(problem),
    ],
    body: JSON.stringify(members === undefined ? body : { ...body, ...members(problem, { traceId, path }) }),
  }
}

/** A problem as clients read it. */
export function problemBody(problem: Problem, traceId: string, path: string | undefined): object {
  return {
    type: `urn:trestle:error:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    instance: problem.instance ?? path,
    code: problem.code,
    traceId: problem.traceId ?? traceId,
    errors: problem.errors,
    details: problem.details,
  }
}

/** The failure was kept for the idempotency key of the request. */
function replayed(problem: Problem): HeaderFields {
  return problem.replayed === true ? [['Idempotency-Replayed', 'true']] : []
}

/** Whole seconds, at least one; said for every refusal that passes by itself. */
function retryAfter({ status, retryAfterMs }: Problem): HeaderFields {
  const ms = retryAfterMs ?? (status === 503 ? defaultRetryAfterMs : undefined)
  return ms === undefined ? [] : [['Retry-After', String(Math.max(1, Math.ceil(ms / 1_000)))]]
}

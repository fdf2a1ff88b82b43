/**
 * The platform's own errors: every failure that no contract declares. `retry` says whether the request was certainly
 * not processed (`'safe'`), may have been (`'unknown'`), or would fail again (`'no'`). docs/errors.md is held equal.
 */
export const platformErrors = {
  bad_request: { status: 400, title: 'The request is malformed', retry: 'no' },
  invalid_input: { status: 400, title: 'The input does not match the contract', retry: 'no' },
  unauthenticated: { status: 401, title: 'Authentication is required', retry: 'no' },
  key_unknown: { status: 401, title: 'There is no such API key', retry: 'no' },
  key_disabled: { status: 401, title: 'The API key has been disabled', retry: 'no' },
  key_expired: { status: 401, title: 'The API key has expired', retry: 'no' },
  token_expired: { status: 401, title: 'The token has expired', retry: 'no' },
  forbidden: { status: 403, title: 'The caller may not do this', retry: 'no' },
  plan_required: { status: 403, title: "The caller's plan does not include this", retry: 'no' },
  not_found: { status: 404, title: 'No such resource', retry: 'no' },
  method_not_allowed: { status: 405, title: 'The resource does not support this method', retry: 'no' },
  request_timeout: { status: 408, title: 'The request did not arrive in time', retry: 'safe' },
  conflict: { status: 409, title: 'The request conflicts with the current state', retry: 'no' },
  idempotency_in_progress: {
    status: 409,
    title: 'A request with this idempotency key is still being processed',
    retry: 'safe',
  },
  idempotency_cancelled: {
    status: 409,
    title: 'What this request belongs to was undone before it arrived; it was not processed',
    retry: 'no',
  },
  gone: { status: 410, title: 'The operation has been withdrawn', retry: 'no' },
  body_too_large: { status: 413, title: 'The body is larger than allowed', retry: 'no' },
  uri_too_long: { status: 414, title: 'The request line is longer than allowed', retry: 'no' },
  unsupported_media_type: { status: 415, title: 'The media type of the body is not supported', retry: 'no' },
  expectation_failed: { status: 417, title: 'The expectation of the request cannot be met', retry: 'no' },
  idempotency_key_reused: {
    status: 422,
    title: 'This idempotency key was used for another input',
    retry: 'no',
  },
  rate_limited: { status: 429, title: 'Too many requests', retry: 'safe' },
  quota_exceeded: { status: 429, title: 'The quota of the plan is spent', retry: 'safe' },
  headers_too_large: { status: 431, title: 'The header block is larger than allowed', retry: 'no' },
  cancelled: { status: 499, title: 'The caller went away', retry: 'unknown' },
  internal: { status: 500, title: 'The service failed', retry: 'unknown' },
  call_in_transaction: {
    status: 500,
    title: 'A service was called inside a database transaction; the call was not made',
    retry: 'no',
  },
  undeclared_use: {
    status: 500,
    title: 'The calling service did not declare that it uses this contract; the call was refused',
    retry: 'no',
  },
  not_implemented: { status: 501, title: 'The service does not implement this operation', retry: 'no' },
  bad_reply: {
    status: 502,
    title: 'The service answered with something its contract does not allow',
    retry: 'unknown',
  },
  bad_gateway: {
    status: 502,
    title: 'The upstream gave no valid answer; the request may have been processed',
    retry: 'unknown',
  },
  unavailable: { status: 503, title: 'The service cannot be reached; the request was not processed', retry: 'safe' },
  overloaded: { status: 503, title: 'The service is at its limit; the request was not processed', retry: 'safe' },
  dependency_unavailable: {
    status: 503,
    title: 'A service that this one needs is not available; the request may have been processed in part',
    retry: 'unknown',
  },
  outcome_unknown: {
    status: 503,
    title: 'The service went away; the request may have been processed',
    retry: 'unknown',
  },
  version_not_supported: { status: 505, title: 'The HTTP version is not supported', retry: 'no' },
  deadline_exceeded: {
    status: 504,
    title: 'The deadline passed; the request may have been processed',
    retry: 'unknown',
  },
} as const satisfies Record<string, { status: number; title: string; retry: 'safe' | 'unknown' | 'no' }>

/** Codes that any operation may fail with, without declaring them: see `platformErrors`. */
export type PlatformCode = keyof typeof platformErrors

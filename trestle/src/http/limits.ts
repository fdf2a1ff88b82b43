import type { HttpLimits } from './message.ts'

/** What holds where the operator says nothing else. */
const defaultLimits: Required<HttpLimits> = {
  requestLineMaxBytes: 8_192,
  headersMaxBytes: 32_768,
  headersMaxCount: 100,
  headersTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  connectionsMax: 10_000,
  requestsPerConnectionMax: 10_000,
}

/** Requests that one connection may have sent ahead of their replies; then it is closed after the last of them. */
export const pipelinedMax = 256

/** After a reply that did not wait for the body: how much of the rest is read, and for how long, so the reply arrives. */
export const lingerMaxBytes = 262_144
export const lingerMs = 1_000

/** While draining, how long a quiet connection may still bring a request before it is closed. */
export const drainGraceMs = 250

export function withDefaults(limits: HttpLimits = {}): Required<HttpLimits> {
  return { ...defaultLimits, ...limits }
}

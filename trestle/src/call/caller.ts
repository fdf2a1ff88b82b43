/** What a caller can be. `service`: a service that acts on nobody's behalf, such as a job. */
export const callerKinds = ['anonymous', 'user', 'key', 'service', 'operator'] as const

/** Who asks, as authenticated at the edge. Travels with every call through every hop. */
export interface Caller {
  readonly kind: (typeof callerKinds)[number]
  /** Stable id within its kind; empty for anonymous. */
  readonly id: string
  readonly scopes: readonly string[]
  readonly plan?: string
  readonly tenant?: string
}

/** Nobody in particular: who asks without credentials. It has no scopes. */
export const anonymous: Caller = Object.freeze({
  kind: 'anonymous',
  id: '',
  scopes: Object.freeze([]) as readonly string[],
})

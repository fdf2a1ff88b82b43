/** Who asks, as authenticated at the edge. Travels with every call through every hop. */
export interface Caller {
  readonly kind: 'anonymous' | 'user' | 'key' | 'service' | 'operator'
  /** Stable id within its kind; empty for anonymous. */
  readonly id: string
  readonly scopes: readonly string[]
  readonly plan?: string
  readonly tenant?: string
}

export const anonymous: Caller = Object.freeze({
  kind: 'anonymous',
  id: '',
  scopes: Object.freeze([]) as readonly string[],
})

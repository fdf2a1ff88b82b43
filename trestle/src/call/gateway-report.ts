/** What one running gateway shows, and how those behind it stand. */
export interface GatewayReport {
  /** The process that it runs in. */
  readonly process: string
  readonly routes: readonly RouteReport[]
  readonly clusters: readonly ClusterReport[]
}

/** A public address. */
export interface RouteReport {
  /** `*`: all. */
  readonly method: string
  readonly path: string
  /** Empty: every host that the gateway serves. */
  readonly hosts: readonly string[]
  /** By which plans, limits and usage name it. */
  readonly name: string
  readonly kind: 'operation' | 'aggregate' | 'upstream' | 'redirect' | 'page'
  /** `anyone`, `signed in`, or the scopes that a caller must have. */
  readonly access: string
  /** Names of the rules that hold there. */
  readonly policies: readonly string[]
}

/** Members that can answer the same: targets of an upstream, instances of a service. */
export interface ClusterReport {
  readonly kind: 'upstream' | 'service'
  /** Of the upstream's route, or the contract. */
  readonly name: string
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly inFlight: number
  readonly concurrencyLimit: number | undefined
  readonly members: readonly MemberReport[]
}

/** One of those that can answer. */
export interface MemberReport {
  readonly id: string
  readonly state: 'healthy' | 'probation' | 'ejected' | 'unhealthy'
  readonly weight: number
  readonly inFlight: number
  /** Peak-EWMA of the latency. */
  readonly latencyMs: number
  readonly requests: number
  readonly failures: number
  /** Why it was ejected the last time, and when (milliseconds since 1970). */
  readonly lastEjection: { readonly reason: string; readonly atMs: number } | undefined
}

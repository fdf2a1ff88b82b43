import type { Handle } from '../call/call.ts'
import type { HttpClient } from '../http/message.ts'
import type { Clock } from '../std/clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { AccessLink } from './access/access-link.ts'
import type { Limiter } from './limits/limiter.ts'
import type { Kept } from './reload/kept-state.ts'

/** What the parts of a running gateway share. */
export interface GatewayContext {
  /** Takes a call to wherever its service runs. */
  readonly send: Handle
  readonly clock: Clock
  /** 0 <= random() < 1; not for secrets. */
  readonly random: () => number
  readonly log: GatewayLog
  readonly metrics: Metrics
  /** For upstreams, key sets and issuers; made at the first use, closed with the gateway. */
  readonly http: () => Promise<HttpClient>
  /** The rate limits of this gateway and their counters; made at the first use. */
  readonly limiter: () => Promise<Limiter>
  /** Finds what the gateway before this one made under the same key, or makes it: see `Kept`. */
  readonly keep: Kept['keep']
  /** What was made under this key for a part of this gateway, or a new one. */
  readonly shared: Kept['keep']
  /** Runs when every part is open and nothing can be refused any more: what changes something that is kept waits for it. */
  readonly whenOpen: (run: () => void) => void
  /** The service of keys and plans, what changes in it, and the usage that it is told; opened at the first use. */
  readonly access: () => Promise<AccessLink>
  /** Runs when the gateway closes, in reverse order. */
  readonly defer: (close: () => void | Promise<void>) => void
}

/** Where the parts of a gateway tell what happened: fields first, then one line. */
export interface GatewayLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What a link may use at most. Both ends have their own. */
export interface LinkLimits {
  /** Calls that run at once over one link; beyond: `overloaded`. The callee's figure counts. Default 2,048. */
  readonly callsMax?: number
  /** One body, asked or answered; beyond: `body_too_large`. Default 16 MiB. */
  readonly messageMaxBytes?: number
  /** Bytes that wait in one direction of one link; beyond: `overloaded`. Default 64 MiB. */
  readonly bufferedMaxBytes?: number
  /** Until the connection stands. Default 1,000. */
  readonly connectTimeoutMs?: number
  /** Until the peer has proved itself. Default 1,000. */
  readonly handshakeTimeoutMs?: number
  /** How often a silent peer is asked whether it lives. Default 1,000. */
  readonly heartbeatMs?: number
  /** Unanswered heartbeats in a row after which a peer counts as dead. Default 3. */
  readonly heartbeatsMissedMax?: number
  /** Connections of one listener, also those that have not proved themselves. Default 1,024. */
  readonly connectionsMax?: number
  /** Longest wait before a lost peer is tried again. Default 1,000. */
  readonly reconnectMaxMs?: number
}

export const defaultLinkLimits: Required<LinkLimits> = {
  callsMax: 2_048,
  messageMaxBytes: 16 * 1_048_576,
  bufferedMaxBytes: 64 * 1_048_576,
  connectTimeoutMs: 1_000,
  handshakeTimeoutMs: 1_000,
  heartbeatMs: 1_000,
  heartbeatsMissedMax: 3,
  connectionsMax: 1_024,
  reconnectMaxMs: 1_000,
}

/** Largest piece of a body in one frame: longer bodies share the link with other calls. */
export const chunkMaxBytes = 65_536
/** Largest meta part of a frame: names, trace, caller, query and headers of one call. */
export const metaMaxBytes = 262_144
/** Largest frame before the peer has proved itself. */
export const handshakeMaxBytes = 32_768

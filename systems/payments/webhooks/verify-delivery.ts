import { isSignedBy, type PublicKey } from './signature.ts'

/** What somebody who has a webhook got, and what they know themselves. */
export interface ReceivedDelivery {
  /** By lower-case name. */
  readonly headers: (name: string) => string | null | undefined
  /** As it came, before anybody parsed it. */
  readonly body: Uint8Array | string
  /** One's own: not the one in the header, which anybody can write. */
  readonly webhookId: string
  /** Those of `/v1/notifications/webhooks-keys`. */
  readonly keys: readonly (PublicKey & { readonly kid: string })[]
  /** Milliseconds since 1970. */
  readonly now: number
  /** How far the time of sending may be away; default five minutes. */
  readonly toleranceMs?: number
}

/** `unknown_key`: ask for the keys again, then once more for this. */
export type Verdict = 'genuine' | 'unknown_key' | 'too_old' | 'not_genuine'

/**
 * Whether this system sent a delivery. It is a merchant's code: copy the idea.
 * @example if (verifyDelivery({ headers: (name) => request.headers.get(name), body, webhookId, keys, now }) !== 'genuine') refuse()
 */
export function verifyDelivery(received: ReceivedDelivery): Verdict {
  const { headers, body, webhookId, keys, now, toleranceMs = 300_000 } = received
  const time = headers('pay-transmission-time') ?? ''
  const key = keys.find(({ kid }) => kid === headers('pay-key-id'))
  if (key === undefined) return 'unknown_key'
  const transmissionId = headers('pay-transmission-id') ?? ''
  const signature = headers('pay-transmission-sig') ?? ''
  if (!isSignedBy({ transmissionId, time, webhookId, body }, signature, key)) return 'not_genuine'
  return Math.abs(now - Date.parse(time)) <= toleranceMs ? 'genuine' : 'too_old'
}

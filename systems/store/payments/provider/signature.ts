import { createHash, createPublicKey, verify } from 'node:crypto'

/** A request that says that it comes from the payment system. */
export interface Delivery {
  /** As it came, before anybody parsed it. */
  readonly body: Uint8Array
  readonly transmissionId: string
  /** ISO 8601. */
  readonly transmissionTime: string
  readonly keyId: string
  /** Base64. */
  readonly signature: string
}

/** A public key of the payment system. */
export interface SigningKey {
  readonly kid: string
  readonly kty: string
  readonly crv: string
  readonly x: string
}

/** How far the time of sending may be away from ours. */
export const toleranceMs = 5 * 60_000

/** Whether a delivery was sent in these minutes; what is older may be sent again by whoever saw it. */
export function isRecent({ transmissionTime }: Delivery, now: number): boolean {
  return Math.abs(now - Date.parse(transmissionTime)) <= toleranceMs
}

/** Whether the holder of a key signed a delivery to our webhook. */
export function isSigned(delivery: Delivery, webhookId: string, { kty, crv, x }: SigningKey): boolean {
  const { body, transmissionId, transmissionTime, signature } = delivery
  const digest = createHash('sha256').update(body).digest('hex')
  const text = [transmissionId, transmissionTime, webhookId, digest].join('|')
  try {
    const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
    return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

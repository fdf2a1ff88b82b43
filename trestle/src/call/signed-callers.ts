import { BoundedMap } from '../std/bounded-map.ts'
import type { Caller } from './caller.ts'
import { callerKey, payloadOf, signPayload, type VerifiedCaller, verifyCaller } from './caller-signature.ts'

/** How a caller travels between processes: signed on its way out, verified on its way in. */
export interface SignedCallers {
  /** @throws RangeError when the caller is too large */
  readonly encode: (caller: Caller) => string
  /** `undefined`: not signed with this system's key, or changed. */
  readonly decode: (text: string) => Caller | 'expired' | undefined
}

export interface SignedCallersOptions {
  /** The system's key, at least 32 bytes. */
  readonly systemKey: Uint8Array
  readonly clock: { now(): number }
  /** Callers remembered in each direction; default 4,096. */
  readonly cacheMax?: number
}

/**
 * Makes the signer and verifier of one process. An HMAC per call would cost as much as the hop itself, so what was signed
 * is remembered by what it says, and what was verified by its text. Not by the caller's object: authenticators make a
 * new one for each request.
 */
export function signedCallers({ systemKey, clock, cacheMax = 4_096 }: SignedCallersOptions): SignedCallers {
  const key = callerKey(systemKey)
  const signed = new BoundedMap<string, string>(cacheMax)
  const verified = new BoundedMap<string, VerifiedCaller>(cacheMax)
  return {
    encode(caller) {
      const payload = payloadOf(caller, clock.now())
      const known = signed.get(payload)
      if (known !== undefined) return known
      const text = signPayload(key, payload)
      signed.set(payload, text)
      return text
    },
    decode(text) {
      const known = verified.get(text)
      if (known !== undefined && known.expiresMs > clock.now()) return known.caller
      const fresh = verifyCaller(key, text, clock.now())
      if (fresh === undefined || fresh === 'expired') return fresh
      verified.set(text, fresh)
      return fresh.caller
    },
  }
}

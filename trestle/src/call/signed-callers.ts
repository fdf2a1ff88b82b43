import { BoundedMap } from '../std/bounded-map.ts'
import type { Caller } from './caller.ts'
import { callerKey, expiryOf, signCaller, type VerifiedCaller, verifyCaller } from './caller-signature.ts'

/** How a caller travels between processes: signed on its way out, verified on its way in. */
export interface SignedCallers {
  /** @throws RangeError when the caller is too large */
  readonly encode: (caller: Caller) => string
  /** `undefined`: not signed with this system's key, changed, or expired. */
  readonly decode: (text: string) => Caller | undefined
}

export interface SignedCallersOptions {
  /** The system's key, at least 32 bytes. */
  readonly systemKey: Uint8Array
  readonly clock: { now(): number }
  /** Callers remembered in each direction; default 4,096. */
  readonly cacheMax?: number
}

/**
 * Makes the signer and verifier of one process. An HMAC per call would cost more than the hop itself, so what was signed
 * is remembered by the caller's object and what was verified by its text.
 */
export function signedCallers({ systemKey, clock, cacheMax = 4_096 }: SignedCallersOptions): SignedCallers {
  const key = callerKey(systemKey)
  const signed = new WeakMap<Caller, { readonly text: string; readonly expiry: number }>()
  const verified = new BoundedMap<string, VerifiedCaller>(cacheMax)
  return {
    encode(caller) {
      const expiry = expiryOf(clock.now())
      const known = signed.get(caller)
      if (known?.expiry === expiry) return known.text
      const text = signCaller(key, caller, clock.now())
      // What may still change must be signed again.
      if (Object.isFrozen(caller) && Object.isFrozen(caller.scopes)) signed.set(caller, { text, expiry })
      return text
    },
    decode(text) {
      const known = verified.get(text)
      if (known !== undefined && known.expiresMs > clock.now()) return known.caller
      const fresh = verifyCaller(key, text, clock.now())
      if (fresh === undefined) return undefined
      verified.set(text, fresh)
      return fresh.caller
    },
  }
}

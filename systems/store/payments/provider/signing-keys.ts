import type { ProviderArgs } from './provider.ts'
import type { SigningKey } from './signature.ts'

/** A stranger who names keys that do not exist makes us ask for them no more often than this. */
const askAgainMs = 10_000

/** The payment system's public keys, by their ids. */
export interface SigningKeys {
  find(args: ProviderArgs, kid: string): Promise<SigningKey | undefined>
}

/** Keeps the keys, and asks for them again when one is unknown. */
export function createSigningKeys(): SigningKeys {
  let keys: readonly SigningKey[] = []
  let askedAt = Number.NEGATIVE_INFINITY
  return {
    async find({ call, now }, kid) {
      const known = keys.find((key) => key.kid === kid)
      if (known !== undefined || now() - askedAt < askAgainMs) return known
      askedAt = now()
      try {
        keys = (await call.provider.keys({})).keys
      } catch (error) {
        askedAt = Number.NEGATIVE_INFINITY
        throw error
      }
      return keys.find((key) => key.kid === kid)
    },
  }
}

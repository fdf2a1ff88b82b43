import type { ProviderArgs } from './provider.ts'
import type { SigningKey } from './signature.ts'

/** A stranger who names keys that do not exist makes us ask for them no more often than this. */
const askAgainMs = 10_000
/** The same while the payment system cannot be asked. */
const tryAgainMs = 1_000

/** The payment system's public keys, by their ids. */
export interface SigningKeys {
  find(args: ProviderArgs, kid: string): Promise<SigningKey | undefined>
}

/** Keeps the keys, and asks for them again when one is unknown: once for all who wait for it. */
export function createSigningKeys(): SigningKeys {
  let keys: readonly SigningKey[] = []
  let [askedAt, quietMs] = [0, 0]
  let asking: Promise<void> | undefined
  const ask = async ({ call, now }: ProviderArgs) => {
    ;[askedAt, quietMs] = [now(), tryAgainMs]
    keys = (await call.provider.keys({})).keys
    quietMs = askAgainMs
  }
  const isQuiet = (now: number) => {
    const agoMs = now - askedAt
    // Before that: the clock was put back.
    return agoMs >= 0 && agoMs < quietMs
  }
  return {
    async find(args, kid) {
      const find = () => keys.find((key) => key.kid === kid)
      const known = find()
      if (known !== undefined || (asking === undefined && isQuiet(args.now()))) return known
      asking ??= ask(args).finally(() => {
        asking = undefined
      })
      await asking
      return find()
    },
  }
}

import { hash } from 'node:crypto'
import type { Clock } from '../../std/clock.ts'
import type { AccessLink } from '../access/access-link.ts'
import { isKeyFormed } from '../access/key-format.ts'
import { refused } from '../reply/problem-response.ts'
import type { Authenticate, OutsideCaller } from './authenticator.ts'
import { KeyDirectory, type KeyDirectoryOptions, type KnownKey } from './key-directory.ts'

/** How often it is told that a key is in use. */
const toldEveryMs = 60_000

/** What an opened `apiKeys` asks for every key that it finds. */
export function openApiKeys(
  link: AccessLink,
  { clock }: { readonly clock: Clock },
  options: KeyDirectoryOptions,
): Authenticate {
  const directory = new KeyDirectory(link, clock, options)
  const callerOf = (key: KnownKey | undefined): OutsideCaller => {
    if (key === undefined) throw unknownKey()
    if (key.state !== 'valid') throw endedKey(key.state)
    const nowMs = clock.now()
    if (key.expiresAtMs !== undefined && key.expiresAtMs <= nowMs) throw refused('key_expired')
    if (nowMs - key.usedToldMs >= toldEveryMs) {
      key.usedToldMs = nowMs
      link.usage.used(key.caller.id, nowMs)
    }
    return key.caller
  }
  return ({ credential }) => {
    if (!isKeyFormed(credential)) throw unknownKey()
    const found = directory.find(hash('sha256', credential, 'hex'))
    return found instanceof Promise ? found.then(callerOf) : callerOf(found)
  }
}

function unknownKey() {
  return refused('key_unknown')
}

function endedKey(state: 'disabled' | 'revoked') {
  return refused('key_disabled', state === 'revoked' ? { detail: 'The key has been revoked for good' } : {})
}

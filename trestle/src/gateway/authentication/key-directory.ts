import type { z } from 'zod'
import { BoundedMap } from '../../std/bounded-map.ts'
import type { Clock } from '../../std/clock.ts'
import type { AccessLink } from '../access/access-link.ts'
import type { Change } from '../access/change-feed.ts'
import type { KeyRecord } from '../access/operator-operations.ts'
import type { OutsideCaller } from './authenticator.ts'

/** A key as a gateway remembers it. */
export interface KnownKey {
  readonly caller: OutsideCaller
  readonly state: z.output<typeof KeyRecord>['state']
  readonly expiresAtMs: number | undefined
  /** When its use was last told to the service, milliseconds since 1970. */
  usedToldMs: number
}

export interface KeyDirectoryOptions {
  /** Keys remembered, and as many secrets that nobody has. */
  readonly cacheMax: number
  /** For how long what is remembered counts while nothing is heard of changes. */
  readonly staleMaxMs: number
}

/** How long it is remembered that nobody has a secret: a restored database may know it again. */
const unknownKeptMs = 60_000
/** An answer that takes longer is none. */
const timeoutMs = 2_000

/** Who has which secret: asked once, then remembered until the feed of changes says otherwise. */
export class KeyDirectory {
  readonly #link: AccessLink
  readonly #clock: Clock
  readonly #staleMaxMs: number
  readonly #known: BoundedMap<string, KnownKey>
  readonly #unknown: BoundedMap<string, number>
  readonly #asking = new Map<string, Promise<KnownKey | undefined>>()

  constructor(link: AccessLink, clock: Clock, { cacheMax, staleMaxMs }: KeyDirectoryOptions) {
    this.#link = link
    this.#clock = clock
    this.#staleMaxMs = staleMaxMs
    this.#known = new BoundedMap(cacheMax)
    this.#unknown = new BoundedMap(cacheMax)
    link.feed.onChange((change) => this.#forget(change))
  }

  /**
   * The key that has a secret of this hash; `undefined`: none.
   * @throws CallError when the service cannot be asked
   */
  find(hash: string): KnownKey | undefined | Promise<KnownKey | undefined> {
    if (this.#link.feed.ageMs() <= this.#staleMaxMs) {
      const known = this.#known.get(hash)
      if (known !== undefined) return known
      const until = this.#unknown.get(hash)
      if (until !== undefined && this.#clock.monotonic() < until) return undefined
    }
    const asked = this.#asking.get(hash) ?? this.#ask(hash)
    this.#asking.set(hash, asked)
    return asked
  }

  async #ask(hash: string): Promise<KnownKey | undefined> {
    const { epoch } = this.#link.feed
    try {
      const { record } = await this.#link.ask().lookUpKey({ hash }, { timeoutMs })
      const known = record === null ? undefined : knownKey(record)
      // What changed in between may be of this key: then it is asked for again the next time.
      if (epoch === this.#link.feed.epoch) this.#remember(hash, known)
      return known
    } finally {
      this.#asking.delete(hash)
    }
  }

  #remember(hash: string, known: KnownKey | undefined): void {
    if (known === undefined) this.#unknown.set(hash, this.#clock.monotonic() + unknownKeptMs)
    else this.#known.set(hash, known)
  }

  #forget({ reset, keyIds }: Change): void {
    if (reset) {
      this.#known.clear()
      this.#unknown.clear()
    } else if (keyIds.length > 0) {
      const ids = new Set(keyIds)
      this.#known.deleteWhere(({ caller }) => ids.has(caller.id))
    }
  }
}

function knownKey({ id, owner, plan, scopes, state, expiresAtMs }: z.output<typeof KeyRecord>): KnownKey {
  const caller: OutsideCaller = Object.freeze({
    kind: 'key',
    id,
    tenant: owner,
    scopes: Object.freeze(scopes) as readonly string[],
    ...(plan === null ? {} : { plan }),
  })
  return { caller, state, expiresAtMs: expiresAtMs ?? undefined, usedToldMs: 0 }
}

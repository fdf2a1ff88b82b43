/** What parts of a gateway keep beyond its description: counters, the health of targets. By a key that says all it depends on. */
export type KeptState = ReadonlyMap<string, unknown>

/** Where the parts of one gateway find what the gateway before had under the same key. */
export interface Kept {
  /**
   * What was made under this key by this gateway, or by the one that it replaces; else a new one. The key must name the kind
   * and everything that the thing depends on: equal keys share it.
   */
  readonly keep: <T>(key: string, make: () => T) => T
  /** For the next gateway: what this one asked for, and nothing older. */
  readonly state: () => KeptState
}

/** Hands state on from one gateway to the next; what the next does not ask for is forgotten with the one before. */
export function keptFrom(before: KeptState = new Map()): Kept {
  const own = new Map<string, unknown>()
  return {
    keep: <T>(key: string, make: () => T): T => {
      if (!own.has(key)) own.set(key, before.has(key) ? before.get(key) : make())
      // The key names the kind of what is kept: whoever asks for it made it.
      return own.get(key) as T
    },
    state: () => own,
  }
}

import type { StoredReply } from './stored-reply.ts'

/** A reply that is being fetched for all who ask for it now. */
export interface Fetching<T> {
  readonly pathKey: string
  readonly outcome: Promise<T>
  /** The path has been changed since: what comes is not stored. */
  outdated: boolean
}

/** What an entry takes besides its text: objects and their places in maps. */
const overheadBytes = 600

/** Stored replies by key, within a number of bytes: what was used longest ago makes room. */
export class ReplyCache {
  readonly #maxBytes: number
  readonly #replies = new Map<string, StoredReply>()
  readonly #paths = new Map<string, Set<string>>()
  readonly #fetching = new Map<string, Fetching<unknown>>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#replies.size
  }

  /** Counts as use. */
  get(key: string): StoredReply | undefined {
    const reply = this.#replies.get(key)
    if (reply === undefined) return undefined
    this.#replies.delete(key)
    this.#replies.set(key, reply)
    return reply
  }

  set(key: string, reply: StoredReply): void {
    this.delete(key)
    const bytes = bytesOf(key, reply)
    if (bytes > this.#maxBytes) return
    this.#replies.set(key, reply)
    const keys = this.#paths.get(reply.pathKey) ?? new Set()
    this.#paths.set(reply.pathKey, keys.add(key))
    this.#bytes += bytes
    for (const oldest of this.#replies.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const reply = this.#replies.get(key)
    if (reply === undefined) return
    this.#replies.delete(key)
    this.#bytes -= bytesOf(key, reply)
    const keys = this.#paths.get(reply.pathKey)
    keys?.delete(key)
    if (keys?.size === 0) this.#paths.delete(reply.pathKey)
  }

  /** Forgets all of a path, also what is being fetched for it now. */
  invalidate(pathKey: string): void {
    for (const key of this.#paths.get(pathKey) ?? []) this.delete(key)
    for (const [key, fetching] of this.#fetching) {
      if (fetching.pathKey !== pathKey) continue
      fetching.outdated = true
      this.#fetching.delete(key)
    }
  }

  fetching<T>(key: string): Fetching<T> | undefined {
    // Whoever fetches under a key is the one who asks for it.
    return this.#fetching.get(key) as Fetching<T> | undefined
  }

  /** Fetches once for all who ask for the key until it is there. */
  fetch<T>(key: string, pathKey: string, work: (isOutdated: () => boolean) => Promise<T>): Promise<T> {
    const state = { outdated: false }
    const outcome = work(() => state.outdated)
    const fetching: Fetching<T> = Object.assign(state, { pathKey, outcome })
    this.#fetching.set(key, fetching)
    const forget = () => {
      if (this.#fetching.get(key) === fetching) this.#fetching.delete(key)
    }
    outcome.finally(forget).catch(() => undefined)
    return outcome
  }
}

function bytesOf(key: string, { headers, body, pathKey }: StoredReply): number {
  const text = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return overheadBytes + key.length + pathKey.length + text + body.length
}

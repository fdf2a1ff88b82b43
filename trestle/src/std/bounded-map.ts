/** A map that forgets what was used longest ago when it is full. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #max: number

  /** @param max how many entries it holds, from 1 */
  constructor(max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`a bounded map must hold at least 1 entry, not ${max}`)
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  /** Counts as use. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#max) this.#forgetOldest()
    this.#entries.set(key, value)
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key)
  }

  /** Forgets every entry that `forgotten` names. */
  deleteWhere(forgotten: (value: Value) => boolean): void {
    for (const [key, value] of this.#entries) if (forgotten(value)) this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest as Key)
  }
}

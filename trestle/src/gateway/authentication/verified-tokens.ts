import { hash } from 'node:crypto'
import { BoundedMap } from '../../std/bounded-map.ts'

interface Verified<T> {
  readonly value: T
  readonly untilMs: number
}

/**
 * What verified tokens came to, by the hash of the whole token: a token that differs in one character is another one.
 * Nothing outlives its token; a value that was made before `clear` is not taken after it.
 */
export class VerifiedTokens<T> {
  readonly #entries: BoundedMap<string, Verified<T>>
  #generation = 0

  constructor(max: number) {
    this.#entries = new BoundedMap(max)
  }

  static keyOf(token: string): string {
    return hash('sha256', token, 'base64')
  }

  get generation(): number {
    return this.#generation
  }

  get(key: string, nowMs: number): T | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    if (nowMs < found.untilMs) return found.value
    this.#entries.delete(key)
    return undefined
  }

  /** @param generation as it was when the verification began */
  set(key: string, value: T, untilMs: number, generation: number): void {
    if (generation === this.#generation) this.#entries.set(key, { value, untilMs })
  }

  clear(): void {
    this.#generation += 1
    this.#entries.clear()
  }
}

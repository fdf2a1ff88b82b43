/** Draws of one seeded generator: the same seed always gives the same sequence. */
export interface Draws {
  /** A whole number, 0 <= n < below. */
  below(below: number): number
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T
  /** 0 <= x < 1 */
  fraction(): number
}

const turn = 2 ** 32

/**
 * A generator for one row of seed data, so that any row can be made without those before it.
 * Mulberry32 (T. Ettinger, public domain) started from a mixed seed. Not for secrets.
 */
export function draws(seed: number): Draws {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  const fraction = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / turn
  }
  const below = (bound: number) => Math.floor(fraction() * bound)
  return {
    fraction,
    below,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('cannot pick from an empty list')
      return list[below(list.length)] as T
    },
  }
}

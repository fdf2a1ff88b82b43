/** Draws of one seed: the same seed always gives the same sequence. Not for secrets. */
export interface SeededDraws {
  /** 0 <= x < 1 */
  fraction(): number
  /** A whole number, 0 <= n < `below`. */
  below(below: number): number
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T
  /** A sequence of its own, which depends on this one's seed and on the name alone: not on what was drawn before. */
  fork(name: string): SeededDraws
}

/**
 * Makes draws from a seed. Source: mulberry32 by T. Ettinger, public domain; forks are mixed by FNV-1a.
 * @example const draws = seededDraws(7)
 *   const first = draws.fork('arrival 1').below(100)
 */
export function seededDraws(seed: number): SeededDraws {
  let state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0
  const fraction = () => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number) => Math.floor(fraction() * bound)
  return {
    fraction,
    below,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('cannot pick from an empty list')
      return list[below(list.length)] as T
    },
    fork: (name) => seededDraws(mixedWith(seed, name)),
  }
}

function mixedWith(seed: number, name: string): number {
  let hash = (0x811c_9dc5 ^ seed) >>> 0
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193) >>> 0
  }
  return hash
}

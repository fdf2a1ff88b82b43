import type { SeededDraws } from './seeded-draws.ts'

/**
 * Ranks by Zipf's law: rank 0 is drawn most often, rank r with a weight of 1 / (r + 1) ** exponent.
 * @param count how many ranks there are
 * @param exponent 1 is the law as Zipf stated it; 0 draws all alike
 * @example const rankOf = zipf(100)
 *   const popular = rankOf(draws)
 */
export function zipf(count: number, exponent = 1): (draws: SeededDraws) => number {
  if (!(count >= 1)) throw new RangeError('there must be at least one rank')
  const sums: number[] = []
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1) ** exponent
    sums.push(sum)
  }
  return (draws) => {
    const at = draws.fraction() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

import { draws } from './draws.ts'

const salt = 0x5_70c4

/** How many pieces of product number `index` there are at first: about one in fifty is sold out, few are rare. */
export function stockAt(index: number): number {
  const draw = draws(index ^ salt)
  if (draw.below(50) === 0) return 0
  return draw.below(10) === 0 ? 1 + draw.below(9) : 10 + draw.below(490)
}

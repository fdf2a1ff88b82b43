/** How fast a counter fills and how far: `allow` units per window, `burst` of them at once. */
export interface RateLaw {
  /** Time that one unit stands for: the window divided by what is allowed in it. */
  readonly emissionMs: number
  /** The most that a counter may be ahead of time: `burst` units. */
  readonly burstMs: number
}

/** Sums of fractions of a millisecond are not exact: a microsecond counts for nothing. */
const toleranceMs = 0.001

/**
 * The law of a limit. Source: the generic cell rate algorithm, ITU-T I.371 annex A (virtual scheduling). A counter is one
 * number, the debt: how far the units taken so far reach beyond the present. It shrinks as time passes. In any window at
 * most `allow + burst` units are taken.
 */
export function rateLaw(allow: number, windowMs: number, burst: number): RateLaw {
  const emissionMs = windowMs / allow
  return { emissionMs, burstMs: emissionMs * burst }
}

/** Whether a counter that would have this debt has had too much. */
export function isTooMuch({ burstMs }: RateLaw, debtMs: number): boolean {
  return debtMs > burstMs + toleranceMs
}

/** How long somebody with this debt waits until they may take so much. */
export function waitMsFor({ emissionMs, burstMs }: RateLaw, debtMs: number, cost: number): number {
  return Math.max(0, debtMs + cost * emissionMs - burstMs)
}

/** Units that could be taken at once. */
export function unitsLeft({ emissionMs, burstMs }: RateLaw, debtMs: number): number {
  return Math.max(0, Math.floor((burstMs - debtMs + toleranceMs) / emissionMs))
}

/** How long no more than `unitsLeft` can be taken. */
export function waitMsForMore(law: RateLaw, debtMs: number): number {
  return waitMsFor(law, debtMs, unitsLeft(law, debtMs) + 1)
}

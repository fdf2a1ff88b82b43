/** A day or a month of UTC. */
export interface QuotaPeriod {
  /** `day:2026-11-21`, `month:2026-11`. */
  readonly id: string
  readonly startsAtMs: number
  readonly endsAtMs: number
}

/** The period that a time is in. */
export function periodAt(per: 'day' | 'month', nowMs: number): QuotaPeriod {
  const date = new Date(nowMs)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const text = date.toISOString()
  return per === 'day'
    ? {
        id: `day:${text.slice(0, 10)}`,
        startsAtMs: Date.UTC(year, month, day),
        endsAtMs: Date.UTC(year, month, day + 1),
      }
    : { id: `month:${text.slice(0, 7)}`, startsAtMs: Date.UTC(year, month), endsAtMs: Date.UTC(year, month + 1) }
}

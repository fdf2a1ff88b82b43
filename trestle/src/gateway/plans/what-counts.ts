import type { QuotaSpec } from './quota-options.ts'

/** Whether a reply counts against a quota. */
export type Counts = (status: number, cached: boolean) => boolean

/** Reads what counts from the configuration. */
export function whatCounts({ counts, countsCached }: Pick<QuotaSpec, 'counts' | 'countsCached'>): Counts {
  const counted = [2, 3, 4, 5].map((hundreds) => counts.some((name) => name === `${hundreds}xx`))
  return (status, cached) => (countsCached || !cached) && counted[Math.floor(status / 100) - 2] === true
}

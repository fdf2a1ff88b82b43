/** `2026-11-21 05:30`, in UTC; `-`: never. */
export function momentOf(text: string | null): string {
  return text === null ? '-' : text.slice(0, 16).replace('T', ' ')
}

/** `1000/day`, `1000/day per key`. */
export function quotaText({
  per,
  allow,
  of,
}: {
  readonly per: string
  readonly allow: number
  readonly of: string
}): string {
  return `${allow}/${per}${of === 'key' ? ' per key' : ''}`
}

/** `5/1s`, `100/60s burst 20`. */
export function limitText({
  allow,
  windowMs,
  burst,
}: {
  readonly allow: number
  readonly windowMs: number
  readonly burst?: number | undefined
}): string {
  const window = windowMs % 1_000 === 0 ? `${windowMs / 1_000}s` : `${windowMs}ms`
  return `${allow}/${window}${burst === undefined ? '' : ` burst ${burst}`}`
}

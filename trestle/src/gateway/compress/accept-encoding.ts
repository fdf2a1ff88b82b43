/** What we can encode in. */
export type ContentCoding = 'br' | 'gzip'

const item = /^([A-Za-z0-9*_.-]{1,20})(?:[\t ]*;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/i
const itemsMax = 20

/**
 * The coding that a client likes best, among those that we have in the order of our own liking; `undefined`: none, or it
 * likes the plain reply better. What is malformed is not understood: plain. Source: RFC 9110, section 12.5.3.
 * @example preferredCoding('gzip;q=0.8, br', ['br', 'gzip']) // 'br'
 */
export function preferredCoding(header: string | undefined, ours: readonly ContentCoding[]): ContentCoding | undefined {
  if (header === undefined) return undefined
  const weights = weightsOf(header)
  const any = weights.get('*')
  let best: ContentCoding | undefined
  // Where nothing is said of the plain reply it is acceptable, but less than what is asked for by name.
  let bestWeight = weights.get('identity') ?? 0
  for (const coding of ours) {
    const weight = weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined) ?? any ?? 0
    const better = weight > bestWeight || (weight === bestWeight && weight > 0 && best === undefined)
    if (better) {
      best = coding
      bestWeight = weight
    }
  }
  return best
}

function weightsOf(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const part of header.split(',', itemsMax)) {
    const match = item.exec(part.trim())
    if (match !== null) weights.set((match[1] as string).toLowerCase(), Number(match[2] ?? 1))
  }
  return weights
}

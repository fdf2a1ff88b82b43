/** Field names whose values never reach a log, however they are cased, dashed or underscored. */
export const redactedFields = [
  'authorization',
  'proxyAuthorization',
  'cookie',
  'setCookie',
  'password',
  'passwd',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'apiKey',
  'key',
  'xApiKey',
  'privateKey',
  'credential',
  'credentials',
] as const

const redactedMark = '[redacted]'
const deepest = 6
const tooDeep = '[too deep]'
const plainly = (name: string) => name.replaceAll(/[-_]/g, '').toLowerCase()
const secretNames = new Set(redactedFields.map(plainly))
const verdicts = new Map<string, boolean>()
const verdictsMax = 4_096

/** Remembered by the exact spelling: logs have few field names and say them often. */
function isSecret(name: string): boolean {
  let verdict = verdicts.get(name)
  if (verdict === undefined) {
    verdict = secretNames.has(plainly(name))
    if (verdicts.size < verdictsMax) verdicts.set(name, verdict)
  }
  return verdict
}

/** The same fields with every secret replaced; a copy only where there is one. Plain objects and lists are looked into. */
export function withoutSecrets(
  fields: Readonly<Record<string, unknown>>,
  depth = 0,
): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    const clean = isSecret(name) && value !== undefined ? redactedMark : cleanValue(value, depth)
    if (clean !== value) {
      copy ??= { ...fields }
      copy[name] = clean
    }
  }
  return copy ?? fields
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return depth >= deepest ? tooDeep : value.map((item) => cleanValue(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return depth >= deepest ? tooDeep : withoutSecrets(value as Record<string, unknown>, depth + 1)
}

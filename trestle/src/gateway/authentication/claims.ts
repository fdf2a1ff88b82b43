import type { OutsideCaller } from './authenticator.ts'

/** Which claims make a caller. */
export interface ClaimNames {
  readonly subjectClaim?: string | undefined
  readonly subjectPrefix?: string | undefined
  readonly scopesClaim?: string | undefined
  readonly tenantClaim?: string | undefined
  readonly planClaim?: string | undefined
}

type Claims = Readonly<Record<string, unknown>>

const idMaxLength = 512

/** The caller that verified claims speak of; `undefined` when they name nobody. */
export function callerOf(claims: Claims, names: ClaimNames): OutsideCaller | undefined {
  const subject = text(claimAt(claims, names.subjectClaim ?? 'sub'))
  if (subject === undefined) return undefined
  const tenant = names.tenantClaim === undefined ? undefined : text(claimAt(claims, names.tenantClaim))
  const plan = names.planClaim === undefined ? undefined : text(claimAt(claims, names.planClaim))
  return {
    kind: 'user',
    id: `${names.subjectPrefix ?? ''}${subject}`,
    scopes: scopesOf(claims, names.scopesClaim),
    ...(tenant === undefined ? {} : { tenant }),
    ...(plan === undefined ? {} : { plan }),
  }
}

/** Scopes as a list or as a text with spaces. Source: RFC 8693 section 4.2; `scp` is what some issuers call it. */
export function scopesOf(claims: Claims, name: string | undefined): readonly string[] {
  const value = name === undefined ? (claims['scope'] ?? claims['scp']) : claimAt(claims, name)
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '')
  if (!Array.isArray(value)) return []
  return value.filter((scope): scope is string => typeof scope === 'string' && scope !== '')
}

/** A claim by its name, which may have dots in it, or else by its path: `realm_access.roles`. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let at: unknown = claims
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Claims)[part]
  }
  return at
}

function text(value: unknown): string | undefined {
  const written = typeof value === 'number' ? String(value) : value
  return typeof written === 'string' && written !== '' && written.length <= idMaxLength ? written : undefined
}

import type { Authenticator } from './authenticator.ts'

/** `WWW-Authenticate`, one field per scheme. Source: RFC 9110 section 11.6.1, RFC 6750 section 3. */
export function challengesOf(
  authenticators: readonly Authenticator[],
): (error?: 'invalid_token' | 'insufficient_scope', scope?: string) => readonly (readonly [string, string])[] {
  const challenges = authenticators.flatMap(({ challenge }) => (challenge === undefined ? [] : [challenge]))
  const schemes = [...new Map(challenges.map(({ scheme, realm }) => [scheme, realm]))]
  return (error, scope) =>
    schemes.map(([scheme, realm]) => {
      const bearer = scheme === 'bearer'
      const more = `${bearer && error !== undefined ? `, error="${error}"` : ''}${bearer && scope !== undefined ? `, scope="${scope}"` : ''}`
      return ['WWW-Authenticate', `${scheme[0]?.toUpperCase()}${scheme.slice(1)} realm="${realm}"${more}`] as const
    })
}

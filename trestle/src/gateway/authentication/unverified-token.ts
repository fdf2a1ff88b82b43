/** What a token says of its issuer, unverified: good for choosing who verifies it, and for nothing else. */
export function issuerOf(token: string): string | undefined {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second === -1 || token.includes('.', second + 1)) return undefined
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.slice(first + 1, second), 'base64url').toString())
    const issuer = typeof payload === 'object' && payload !== null && 'iss' in payload ? payload.iss : undefined
    return typeof issuer === 'string' ? issuer : undefined
  } catch {
    return undefined
  }
}

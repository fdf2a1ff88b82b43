import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Tokens of clients begin so: whose token it is, wallets or identity, shows before anybody is asked. */
const tokenPrefix = 'client_'
const tokenForm = /^client_[A-Za-z0-9_-]{43}$/

/** 256 random bits. */
export function newToken(): string {
  return tokenPrefix + newSecret()
}

export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether this can be the token of a client; others are not looked up. */
export function isClientToken(credential: string): boolean {
  return tokenForm.test(credential)
}

/** What is kept of secrets and tokens. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Takes as long for a wrong secret as for the right one. */
export function sameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

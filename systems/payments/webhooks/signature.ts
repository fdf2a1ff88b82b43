import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'

/** What a signature is about: this delivery, at this time, to this webhook, with this body. */
export interface Signed {
  readonly transmissionId: string
  /** ISO 8601. */
  readonly time: string
  readonly webhookId: string
  readonly body: string | Uint8Array
}

/** The public half of a key: RFC 8037. */
export interface PublicKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
}

export const algorithm = 'Ed25519'

/** A new key pair: the public one as it is published, the private one as it is kept. */
export function newKeyPair(): { readonly x: string; readonly privatePkcs8: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x } = publicKey.export({ format: 'jwk' })
  if (x === undefined) throw new Error('the public key has no x')
  return { x, privatePkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }) }
}

/** Signs with a private key as it is kept; base64. */
export function signatureOf(signed: Signed, privatePkcs8: Buffer): string {
  const key = createPrivateKey({ key: privatePkcs8, format: 'der', type: 'pkcs8' })
  return sign(null, textOf(signed), key).toString('base64')
}

export function isSignedBy(signed: Signed, signature: string, { kty, crv, x }: PublicKey): boolean {
  try {
    const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
    return verify(null, textOf(signed), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

function textOf({ transmissionId, time, webhookId, body }: Signed): Buffer {
  const digest = createHash('sha256').update(body).digest('hex')
  return Buffer.from([transmissionId, time, webhookId, digest].join('|'))
}

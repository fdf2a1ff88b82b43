import { hkdfSync } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, errors } from 'jose'

/** Writes values that only the holder of a key can read or make. */
export interface Seal<T> {
  seal(value: T): Promise<string>
  /** `undefined`: nobody with one of our keys wrote it. */
  open(sealed: string): Promise<T | undefined>
}

const algorithms = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
const sealedMaxLength = 8_192

/**
 * A seal for one purpose: what is sealed for another is none. The first key seals, all of them open.
 * @param purpose what it is for, and whose
 */
export function createSeal<T extends object>(secrets: readonly string[], purpose: string): Seal<T> {
  const keys = secrets.map((secret) => new Uint8Array(hkdfSync('sha256', secret, 'trestle', purpose, 32)))
  return {
    seal: (value) =>
      new CompactEncrypt(Buffer.from(JSON.stringify(value)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(keys[0] as Uint8Array),
    async open(sealed) {
      if (sealed.length > sealedMaxLength) return undefined
      for (const key of keys) {
        try {
          const { plaintext } = await compactDecrypt(sealed, key, algorithms)
          // Written by `seal`: nobody else has the key.
          return JSON.parse(Buffer.from(plaintext).toString()) as T
        } catch (error) {
          if (!(error instanceof errors.JOSEError)) throw error
        }
      }
      return undefined
    },
  }
}

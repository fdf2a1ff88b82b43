import { randomBytes } from 'node:crypto'
import { base62, keyChecksum } from '../../gateway/access/key-format.ts'

const randomLength = 30

/** A secret that nobody can guess: 30 digits of base 62 are 178 bits. */
export function newSecret(environment: string): string {
  const text = `trs_${environment}_${randomDigits(randomLength)}`
  return text + keyChecksum(text)
}

/** Each digit as likely as the next: bytes beyond a multiple of 62 are thrown away. */
function randomDigits(count: number): string {
  let digits = ''
  while (digits.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < 248 && digits.length < count) digits += base62[byte % 62] as string
    }
  }
  return digits
}

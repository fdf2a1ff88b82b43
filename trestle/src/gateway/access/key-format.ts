import { crc32 } from 'node:zlib'

/** Digits of base 62. */
export const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const form = /^trs_[a-z]{1,10}_[0-9A-Za-z]{36}$/
const checksumLength = 6
/** Characters of a secret that are shown after its environment. */
const shownLength = 4

/** The last six characters of a key: the CRC-32 of everything before them, in base 62. */
export function keyChecksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let at = 0; at < checksumLength; at += 1) {
    digits = (base62[rest % 62] as string) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/**
 * Whether a text has the form of a key and its checksum: `trs_<environment>_<30 random><6 checksum>`. It says that nobody
 * mistyped it, not that there is such a key.
 */
export function isKeyFormed(text: string): boolean {
  return form.test(text) && keyChecksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength)
}

/** What may be shown of a secret: `trs_live_4fGh`. */
export function keyPrefix(secret: string): string {
  return secret.slice(0, secret.lastIndexOf('_') + 1 + shownLength)
}

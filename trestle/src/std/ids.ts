import { randomFillSync } from 'node:crypto'

const pool = new Uint8Array(4096)
let used = pool.length

function randomBytes(count: number): Uint8Array {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}

/** Lower-case hex of `count` random bytes. */
export function randomHex(count: number): string {
  return Buffer.from(randomBytes(count)).toString('hex')
}

/**
 * A UUID version 7: sorts by the time it was made. Source: RFC 9562, section 5.7.
 * @param nowMs milliseconds since 1970
 */
export function uuidv7(nowMs: number = Date.now()): string {
  const time = nowMs.toString(16).padStart(12, '0')
  const bytes = randomBytes(10)
  bytes[0] = 0x70 | ((bytes[0] as number) & 0x0f)
  bytes[2] = 0x80 | ((bytes[2] as number) & 0x3f)
  const rest = Buffer.from(bytes).toString('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`
}

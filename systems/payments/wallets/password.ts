import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * Hashes passwords and checks them, two at once: that is half of the threads that Node has for such work. `undefined`:
 * too many wait already. Whoever asks for an account that does not exist waits as long as for one that does.
 */
export interface Passwords {
  readonly hash: (password: string) => Promise<string | undefined>
  readonly verify: (password: string, hash: string | undefined) => Promise<boolean | undefined>
}

const runningMax = 2
const waitingMax = 32
const saltBytes = 16
const keyBytes = 32
const scryptKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/**
 * Makes the one hasher of a process: scrypt at 32 MiB, three times, a quarter of a second. `WALLETS_PASSWORD_BLOCKS`, a power of
 * two, makes it cheaper in tests. Source: OWASP Password Storage Cheat Sheet, one of its equal settings for scrypt.
 */
export function passwords(blocks: () => number = blocksOf): Passwords {
  const inTurn = turns()
  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(saltBytes)
        const cost = blocks()
        return [cost, salt.toString('base64url'), (await derive(password, salt, cost)).toString('base64url')].join('$')
      }),
    verify: (password, hash) =>
      inTurn(async () => {
        const [cost, salt, key] = hash?.split('$') ?? [blocks(), randomBytes(saltBytes).toString('base64url'), '']
        const derived = await derive(password, Buffer.from(String(salt), 'base64url'), Number(cost))
        const stored = Buffer.from(String(key), 'base64url')
        return stored.length === derived.length && timingSafeEqual(derived, stored)
      }),
  }
}

/** Characters that look alike but are coded differently are one password. */
function derive(password: string, salt: Buffer, blocks: number): Promise<Buffer> {
  const options = { N: blocks, r: 8, p: 3, maxmem: 256 * blocks * 8 }
  return scryptKey(password.normalize('NFKC'), salt, keyBytes, options)
}

function blocksOf(): number {
  const blocks = Number(process.env.WALLETS_PASSWORD_BLOCKS ?? 2 ** 15)
  if (Number.isInteger(Math.log2(blocks)) && blocks >= 1024) return blocks
  throw new RangeError('WALLETS_PASSWORD_BLOCKS must be a power of two from 1024')
}

function turns(): <T>(work: () => Promise<T>) => Promise<T | undefined> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running === runningMax) {
      if (waiting.length === waitingMax) return undefined
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { slots } from './slots.ts'

/** Cost of scrypt: `blocks` x `blockFactor` x 128 bytes of memory, `lanes` times over. */
export interface PasswordCost {
  /** A power of two. */
  readonly blocks: number
  readonly blockFactor: number
  readonly lanes: number
}

/**
 * 32 MiB, three times: about a quarter of a second on one core.
 * Source: OWASP Password Storage Cheat Sheet, one of its equal settings for scrypt.
 */
export const usualCost: PasswordCost = { blocks: 2 ** 15, blockFactor: 8, lanes: 3 }

/**
 * The cost of new hashes: the usual one, or with the `STORE_PASSWORD_BLOCKS` of the environment, a power of two from
 * 1,024. Tests that open hundreds of accounts lower it; nothing else should.
 * @throws RangeError
 */
export function passwordCost(env: Readonly<Record<string, string | undefined>> = process.env): PasswordCost {
  if (env.STORE_PASSWORD_BLOCKS === undefined) return usualCost
  const blocks = Number(env.STORE_PASSWORD_BLOCKS)
  if (!Number.isInteger(Math.log2(blocks)) || blocks < 1024) {
    throw new RangeError(`STORE_PASSWORD_BLOCKS=${env.STORE_PASSWORD_BLOCKS}: say a power of two from 1024`)
  }
  return { ...usualCost, blocks }
}

/** Hashes passwords and checks them, a bounded number at once: a flood of log-ins must not starve the process. */
export interface Passwords {
  /**
   * The hash with its own parameters and salt; `undefined` when too many wait already, or `signal` aborts before its
   * turn comes. One is computed at a time, so that new accounts, which anybody may ask for, leave room for log-ins.
   */
  readonly hash: (password: string, signal?: AbortSignal) => Promise<string | undefined>
  /**
   * Whether the password made this hash; `undefined` as for `hash`. Without a hash it is false, after the same time:
   * who asks cannot tell that there is no such account.
   */
  readonly verify: (password: string, hash: string | undefined, signal?: AbortSignal) => Promise<boolean | undefined>
}

export interface PasswordsOptions {
  /** Default: `passwordCost()`, asked for each hash. */
  readonly cost?: () => PasswordCost
  /** Hashes that are computed at once; default 2 of the four threads that Node has for such work. */
  readonly runningMax?: number
  /** Default 32: at two at once the last one waits some four seconds. Half as many wait for new hashes. */
  readonly waitingMax?: number
}

/** Makes the one hasher of a process. */
export function passwords({ cost = passwordCost, runningMax = 2, waitingMax = 32 }: PasswordsOptions = {}): Passwords {
  const places = slots({ runningMax, waitingMax })
  const newHashes = slots({ runningMax: 1, waitingMax: Math.ceil(waitingMax / 2) })
  const standIn = () => ({ cost: cost(), salt: randomBytes(saltBytes), key: randomBytes(keyBytes) })

  return {
    hash(password, signal) {
      const make = async () => written(await derived(password, cost(), randomBytes(saltBytes)))
      return newHashes.run(() => places.run(make, signal), signal)
    },
    verify: (password, hash, signal) =>
      places.run(async () => {
        const stored = hash === undefined ? standIn() : read(hash)
        const { key } = await derived(password, stored.cost, stored.salt)
        return timingSafeEqual(key, stored.key) && hash !== undefined
      }, signal),
  }
}

interface StoredHash {
  readonly cost: PasswordCost
  readonly salt: Buffer
  readonly key: Buffer
}

const saltBytes = 16
const keyBytes = 32
const scryptKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** Characters that look alike but are coded differently are one password. */
async function derived(password: string, cost: PasswordCost, salt: Buffer): Promise<StoredHash> {
  const key = await scryptKey(password.normalize('NFKC'), salt, keyBytes, {
    N: cost.blocks,
    r: cost.blockFactor,
    p: cost.lanes,
    maxmem: 2 * 128 * cost.blocks * cost.blockFactor,
  })
  return { cost, salt, key }
}

function written({ cost, salt, key }: StoredHash): string {
  const parameters = `N=${cost.blocks},r=${cost.blockFactor},p=${cost.lanes}`
  return ['scrypt', parameters, salt.toString('base64url'), key.toString('base64url')].join('$')
}

const form = /^scrypt\$N=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/

function read(hash: string): StoredHash {
  const match = form.exec(hash)
  if (match === null) throw new Error('a stored password hash is not of the form scrypt$N=,r=,p=$salt$key')
  const [, blocks, blockFactor, lanes, salt, key] = match as unknown as [string, string, string, string, string, string]
  return {
    cost: { blocks: Number(blocks), blockFactor: Number(blockFactor), lanes: Number(lanes) },
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  }
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { LinkProtocolError } from './frame.ts'

/** Versions of the protocol that this code speaks. */
const versions = [2] as const

/** Who is at one end of a link. */
export interface LinkSelf {
  /** Names the process in logs: `orders#2`. */
  readonly process: string
  /** The services (or `gateway`, `operator`) that run in it: a call's `from` must be one of them. */
  readonly services: readonly string[]
}

export interface Hello extends LinkSelf {
  readonly versions: readonly number[]
  /** 32 random bytes, base64. */
  readonly nonce: string
  /** Calls that the sender accepts at once. */
  readonly callsMax: number
  /** Largest body that the sender accepts. */
  readonly messageMaxBytes: number
}

export function hello(self: LinkSelf, callsMax: number, messageMaxBytes: number): string {
  const nonce = randomBytes(32).toString('base64')
  const { process, services } = self
  return JSON.stringify({ versions, process, services, nonce, callsMax, messageMaxBytes } satisfies Hello)
}

/** @throws LinkProtocolError */
export function parseHello(meta: Buffer): Hello {
  const value = parseJson(meta) as Partial<Hello> | null
  if (typeof value !== 'object' || value === null || !isHello(value)) throw new LinkProtocolError('malformed hello')
  return value
}

function isHello(value: Partial<Hello>): value is Hello {
  return (
    isArrayOf(value.versions, Number.isInteger) &&
    typeof value.process === 'string' &&
    isArrayOf(value.services, (service) => typeof service === 'string') &&
    typeof value.nonce === 'string' &&
    value.nonce.length === 44 &&
    isCount(value.callsMax) &&
    isCount(value.messageMaxBytes)
  )
}

function isArrayOf(value: unknown, test: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(test)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new LinkProtocolError('malformed JSON')
  }
}

/** @throws LinkProtocolError when there is none */
export function commonVersion(theirs: readonly number[]): number {
  const common = versions.filter((version) => theirs.includes(version))
  if (common.length === 0) {
    throw new LinkProtocolError(`no common version: ours ${versions.join()}, theirs ${theirs.join()}`)
  }
  return Math.max(...common)
}

/**
 * Proves that one side has the system's key and saw the same two hellos. The side is part of what is signed, so that a
 * proof cannot be sent back to its maker.
 */
export function prove(key: Uint8Array, side: 'caller' | 'callee', callerHello: string, calleeHello: string): Buffer {
  const transcript = createHash('sha256').update(sized(callerHello)).update(sized(calleeHello)).digest()
  return createHmac('sha256', key).update(`trestle link ${side}\0`).update(transcript).digest()
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

export function sameProof(expected: Buffer, actual: Buffer): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

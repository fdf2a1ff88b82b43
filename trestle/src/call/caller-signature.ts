import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Caller, callerKinds } from './caller.ts'

/**
 * A caller as it crosses between processes of one system, so that no service need trust what another one says about who
 * asks: `1.<HMAC-SHA256>.<payload>`, both in base64url. The HMAC covers version and payload, under a key derived from
 * the system's for this purpose alone. The payload has an expiry: text that leaked is of no use for long.
 */
const version = '1'
const macLength = 43
const headLength = version.length + 1 + macLength + 1

/** Longest signed caller made or accepted, characters. */
export const signedCallerMaxLength = 8_192

/** A signed caller is accepted for 10 to 15 minutes, so that the same caller has the same text for 5. */
const lifeSeconds = 900
const stepSeconds = 300

export interface VerifiedCaller {
  readonly caller: Caller
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

/** The key of caller signatures, derived from the system's key (at least 32 bytes). */
export function callerKey(systemKey: Uint8Array): Uint8Array {
  if (systemKey.length < 32) throw new RangeError('the system key must have at least 32 bytes')
  return createHmac('sha256', systemKey).update('trestle caller signature').digest()
}

/**
 * Signs a caller.
 * @param key from `callerKey`
 * @param nowMs milliseconds since 1970
 * @throws RangeError when it would be longer than `signedCallerMaxLength`
 */
export function signCaller(key: Uint8Array, caller: Caller, nowMs: number): string {
  return signPayload(key, payloadOf(caller, nowMs))
}

/** @throws RangeError as `signCaller` */
export function signPayload(key: Uint8Array, json: string): string {
  const payload = Buffer.from(json).toString('base64url')
  const text = `${version}.${macOf(key, payload)}.${payload}`
  if (text.length > signedCallerMaxLength) {
    throw new RangeError(`the caller takes ${text.length} characters; at most ${signedCallerMaxLength}`)
  }
  return text
}

/** The caller that was signed, frozen; `undefined` when the text is not of our making, or was changed. */
export function verifyCaller(key: Uint8Array, text: string, nowMs: number): VerifiedCaller | 'expired' | undefined {
  if (text.length <= headLength || text.length > signedCallerMaxLength) return undefined
  if (!text.startsWith(`${version}.`) || text[headLength - 1] !== '.') return undefined
  const mac = Buffer.from(text.slice(version.length + 1, headLength - 1))
  const payload = text.slice(headLength)
  const expected = Buffer.from(macOf(key, payload))
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return undefined
  const verified = parsePayload(payload)
  return verified !== undefined && verified.expiresMs <= nowMs ? 'expired' : verified
}

/** The end of life of what is signed now, seconds since 1970; the same for all that is signed within one step. */
function expiryOf(nowMs: number): number {
  return Math.floor(nowMs / 1_000 / stepSeconds) * stepSeconds + lifeSeconds
}

function macOf(key: Uint8Array, payload: string): string {
  return createHmac('sha256', key).update(`${version}.${payload}`).digest('base64url')
}

type Payload = readonly [
  expiry: number,
  kind: Caller['kind'],
  id: string,
  scopes: readonly string[],
  plan: string | null,
  tenant: string | null,
]

/** What a signature is about, as JSON: who, and until when. */
export function payloadOf({ kind, id, scopes, plan, tenant }: Caller, nowMs: number): string {
  return JSON.stringify([expiryOf(nowMs), kind, id, scopes, plan ?? null, tenant ?? null] satisfies Payload)
}

function parsePayload(encoded: string): VerifiedCaller | undefined {
  const payload = parseJson(Buffer.from(encoded, 'base64url').toString())
  if (!isPayload(payload)) return undefined
  const [expiry, kind, id, scopes, plan, tenant] = payload
  const caller = {
    kind,
    id,
    scopes: Object.freeze(scopes),
    ...(plan === null ? {} : { plan }),
    ...(tenant === null ? {} : { tenant }),
  }
  return { caller: Object.freeze(caller), expiresMs: expiry * 1_000 }
}

/** What carries our signature was made by us; it is looked at all the same. */
function isPayload(value: unknown): value is Payload {
  if (!Array.isArray(value) || value.length !== 6) return false
  const [expiry, kind, id, scopes, plan, tenant] = value as unknown[]
  return (
    Number.isSafeInteger(expiry) &&
    callerKinds.some((known) => known === kind) &&
    typeof id === 'string' &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string') &&
    (plan === null || typeof plan === 'string') &&
    (tenant === null || typeof tenant === 'string')
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

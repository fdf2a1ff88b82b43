import { hash } from 'node:crypto'
import type { OnceScope } from './once-scope.ts'

/** What once-only work is known by. */
export interface OnceWorkOptions {
  /** The same at each repetition, and of no other work: calls, ids and random numbers are derived from it. */
  readonly key: string
  /** When the work was begun for the first time, milliseconds since 1970; the same at each repetition. */
  readonly beganAtMs: number
  /** The key that came with the call which this work answers: its calls then descend from that one's work, too. */
  readonly within?: string | undefined
  /** The key of earlier work that this work undoes. */
  readonly cancels?: string | undefined
}

/** What once-only work has in place of the ordinary `call`, `newId`, `now` and `random`: at a repetition all are the same. */
export interface OnceWork {
  /** For the `CallContext` of the calls that the work makes. */
  readonly scope: OnceScope
  /** A UUID version 7 with the time at which the work began; the n-th of one repetition is the n-th of another. */
  readonly newId: () => string
  /** When the work began, milliseconds since 1970: time stands still in it. */
  readonly now: () => number
  /** 0 <= x < 1 */
  readonly random: () => number
}

/** Ancestors that a derived key names; of those further away nothing is known, and the key stays below 100 characters. */
const ancestorsMax = 3
const derivedKey = /^~[\w-]{22}((?:\.[\w-]{22}){1,3})$/

/**
 * Begins once-only work, for the first time or again: what it asks of others, and which ids it makes, is the same each
 * time, so that a repetition has no second effect.
 * @example
 * const work = onceWork({ key: `${subscription}/${event.id}`, beganAtMs: event.occurredAt })
 * const call = callsFor({ caller, trace, once: work.scope })
 */
export function onceWork({ key, beganAtMs, within, cancels }: OnceWorkOptions): OnceWork {
  const parents = [idOf(key), ...ancestorsOf(within)].slice(0, ancestorsMax).join('.')
  const counts = new Map<string, number>()
  const next = (what: string): string => {
    const count = (counts.get(what) ?? 0) + 1
    counts.set(what, count)
    return JSON.stringify([key, what, count])
  }
  return {
    scope: {
      key,
      keyFor: (operation) => `~${digest(next(`call ${operation}`))}.${parents}`,
      ...(cancels === undefined ? {} : { cancels }),
    },
    newId: () => derivedUuid(beganAtMs, next('id')),
    now: () => beganAtMs,
    random: () => Number.parseInt(hash('sha256', next('random'), 'hex').slice(0, 12), 16) / 2 ** 48,
  }
}

/** What stands for a piece of work in the keys derived from its own. In place of a key it may stand by itself, behind a `~`. */
export function idOf(key: string): string {
  return isWorkId(key) ? key.slice(1) : digest(JSON.stringify(['work', key]))
}

/** Whether this names work by its id: what is said of it where its key may not be said. */
export function isWorkId(text: string): boolean {
  return /^~[\w-]{22}$/.test(text)
}

/** Which work a key was derived from, the nearest first; nothing for a key that somebody made up. */
export function ancestorsOf(key: string | undefined): readonly string[] {
  if (key === undefined) return []
  return derivedKey.exec(key)?.[1]?.slice(1).split('.') ?? []
}

/**
 * A key that came from outside. What it says of its ancestors holds among requests from outside alone: whoever can compute the
 * id of work that this system does on its behalf is not taken for that work.
 */
export function keyFromOutside(key: string): string {
  const ancestors = ancestorsOf(key)
  return ancestors.length === 0 ? key : [key.slice(0, key.indexOf('.')), ...ancestors.map(outsider)].join('.')
}

/** The id of work outside, which a request from there undoes; in the form of `isWorkId`. */
export function workFromOutside(id: string): string {
  return `~${outsider(idOf(id))}`
}

function outsider(id: string): string {
  return digest(JSON.stringify(['outside', id]))
}

/** 128 bits as 22 characters. */
function digest(text: string): string {
  return hash('sha256', text, 'buffer').toString('base64url', 0, 16)
}

/** Source: RFC 9562, section 5.7; what is random there comes from a hash. */
function derivedUuid(timeMs: number, from: string): string {
  const time = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0')
  const bits = hash('sha256', from, 'hex')
  const variant = ((Number.parseInt(bits.charAt(3), 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${bits.slice(0, 3)}-${variant}${bits.slice(4, 7)}-${bits.slice(8, 20)}`
}

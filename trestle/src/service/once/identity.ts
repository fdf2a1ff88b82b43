import { hash } from 'node:crypto'
import type { Call } from '../../call/call.ts'
import type { Caller } from '../../call/caller.ts'
import { ancestorsOf, idOf } from '../../call/once-work.ts'

/**
 * The same request: of the same caller, for the same operation, under the same key. A UUID, as 128 bits of a hash. What a
 * client asks for itself is never what a service asks in its name: it could be done in advance, undone, and then be
 * missing.
 */
export function scopeOf(call: Call): string {
  const what = call.from === 'gateway' ? 'request from outside' : 'request'
  return hashed(what, call.caller, call.contract, call.operation, call.key ?? '')
}

/** The work, of this caller, that a call's key was derived from: whoever undoes it names the same. */
export function parentsOf(call: Call): readonly string[] {
  return ancestorsOf(call.key).map((ancestor) => hashed('work', call.caller, ancestor))
}

/** The work that a call undoes. */
export function cancelledBy(call: Call): string | undefined {
  return call.cancels === undefined ? undefined : hashed('work', call.caller, idOf(call.cancels))
}

function hashed(what: string, { kind, id, tenant }: Caller, ...more: readonly string[]): string {
  return uuidOf(JSON.stringify([what, kind, id, tenant ?? null, ...more]))
}

/** 128 bits of a hash in the form in which PostgreSQL keeps them shortest. */
export function uuidOf(text: string): string {
  const hex = hash('sha256', text, 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

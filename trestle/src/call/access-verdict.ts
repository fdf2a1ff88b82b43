import type { Access } from '../contract/access.ts'
import type { Caller } from './caller.ts'

/** Whether a caller may ask; an operator may ask everything. Asked at the edge and again by the callee. */
export function verdictOn(access: Access, caller: Caller): 'allowed' | 'unauthenticated' | 'forbidden' {
  if (access.kind === 'anyone' || caller.kind === 'operator') return 'allowed'
  if (caller.kind === 'anonymous') return 'unauthenticated'
  if (access.kind === 'signed-in') return 'allowed'
  return access.scopes.every((scope) => caller.scopes.includes(scope)) ? 'allowed' : 'forbidden'
}

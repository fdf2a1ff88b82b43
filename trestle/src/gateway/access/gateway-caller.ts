import type { Caller } from '../../call/caller.ts'

/** In whose name the gateway itself asks services: what a client may not ask, too. */
export const gatewayCaller: Caller = Object.freeze({ kind: 'service', id: 'gateway', scopes: [] })

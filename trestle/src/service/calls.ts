import type { CallContext } from '../call/call-context.ts'
import { type ClientDeps, createClient } from '../call/create-client.ts'
import type { Client } from '../call/client.ts'
import type { Uses } from './service.ts'

/** The `call` of a handler: a client for each contract in `uses`, bound to the request at hand. */
export type Calls<U extends Uses> = { readonly [K in keyof U]: Client<U[K]> }

/** Makes the factory of a service's `call`; built once, at start. Per request one object, plus one per contract used. */
export function createCalls<U extends Uses>(uses: U, deps: ClientDeps): (context: CallContext) => Calls<U> {
  class BoundCalls {
    readonly #context: CallContext
    constructor(context: CallContext) {
      this.#context = context
    }
    static contextOf(calls: BoundCalls): CallContext {
      return calls.#context
    }
  }
  for (const [name, contract] of Object.entries(uses)) {
    const clientFor = createClient(contract, deps)
    Object.defineProperty(BoundCalls.prototype, name, {
      enumerable: true,
      get(this: BoundCalls) {
        return clientFor(BoundCalls.contextOf(this))
      },
    })
  }
  return (context) => new BoundCalls(context) as unknown as Calls<U>
}

import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import type { Resolve } from './message.ts'

/** A resolver in the form in which sockets ask: what it gives is what they connect to, nobody is asked a second time. */
export function lookupBy(resolve: Resolve): LookupFunction {
  const ask = callbackify(resolve)
  return (hostname, options, done) =>
    ask(hostname, (error, found) => {
      const addresses = (found ?? []).map((address) => ({ address, family: isIP(address) }))
      const [first] = addresses
      if (first === undefined) done(error ?? new Error(`${hostname} has no address`), '', 0)
      else if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
}

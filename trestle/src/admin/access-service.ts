import type { Operator } from '../call/operator.ts'
import { access } from '../gateway/access/contract.ts'
import type { ServiceDefinition } from '../service/service.ts'
import { adminAccessContract } from './access-contract.ts'
import { passOn } from './pass-on.ts'

/** What operators do with keys, plans and usage, passed on to the service that has them. */
export function adminAccessService(operator: Pick<Operator, 'call'>): ServiceDefinition {
  return passOn(adminAccessContract, {
    operator,
    route: (input) => ({ contract: access, input }),
    // The gateway of such a system needs none.
    missing: () => ({ code: 'keys_unused', detail: 'Give the gateway authenticate: [apiKeys()] or plans: {...}' }),
  })
}

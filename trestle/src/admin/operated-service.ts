import type { Operator } from '../call/operator.ts'
import { operatedBy } from '../service/operator/contract.ts'
import type { ServiceDefinition } from '../service/service.ts'
import { adminOperatedContract } from './operated-contract.ts'
import { passOn } from './pass-on.ts'

/** What operators do with the events, sagas and jobs of a service, passed on to that service. */
export function adminOperatedService(operator: Pick<Operator, 'call'>): ServiceDefinition {
  return passOn(adminOperatedContract, {
    operator,
    route(given) {
      const { service, ...input } = given as { readonly service: string }
      return { contract: operatedBy(service), input }
    },
    missing: (contract) => ({
      code: 'unknown_service',
      detail: `${contract.slice(0, contract.indexOf('.'))} is no service of this system, or has no store`,
    }),
  })
}

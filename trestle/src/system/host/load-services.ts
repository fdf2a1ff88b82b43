import { operatedId } from '../../service/operator/operated-id.ts'
import type { ServiceDefinition } from '../../service/service.ts'
import type { RunService } from '../placed-service.ts'
import { feedContractId } from '../../bus/local/index.ts'
import { messageOf, StartError } from '../start-error.ts'
import { feedsOf, streamsOf } from './event-facts.ts'
import type { ServiceFacts } from './snapshot.ts'
import { usedBy } from './used-by.ts'

export interface LoadedService {
  readonly placed: RunService
  readonly definition: ServiceDefinition
  readonly facts: ServiceFacts
}

/**
 * Imports the code of the named services, all at once.
 * @throws StartError `service_failed` that names the service and the cause
 */
export function loadServices(services: readonly RunService[]): Promise<readonly LoadedService[]> {
  return Promise.all(services.map(loadService))
}

async function loadService(placed: RunService): Promise<LoadedService> {
  const loaded = await placed.load().catch((cause: unknown) => {
    throw serviceFailed(placed.name, 'its code cannot be loaded', cause)
  })
  const definition: unknown = loaded.default
  if (!isService(definition)) {
    throw serviceFailed(placed.name, 'its file must export a service by default: export default impl.service(...)')
  }
  const implemented = definition.contracts.map((contract) => contract.id)
  const missing = placed.contracts.filter((contract) => !implemented.includes(contract.id))
  if (missing.length > 0) {
    const ids = missing.map((contract) => contract.id).join(', ')
    throw serviceFailed(
      placed.name,
      `the system says it implements ${ids}, its code implements ${implemented.join(', ')}`,
    )
  }
  return { placed, definition, facts: factsOf(placed, definition) }
}

function factsOf(placed: RunService, definition: ServiceDefinition): ServiceFacts {
  return {
    service: placed.name,
    version: (definition.contracts[0] ?? placed.contracts[0])?.version ?? '0.0.0',
    contracts: definition.contracts.map((contract) => contract.id),
    uses: usedBy(definition),
    hasStore: definition.store !== undefined,
    feeds: [...feedsOf(definition), ...(definition.store === undefined ? [] : [operatedId(placed.name)])],
    reads: streamsOf(definition).map(feedContractId),
  }
}

function isService(value: unknown): value is ServiceDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service'
}

/** One line that names the service, what was tried, and the cause. */
export function serviceFailed(service: string, what: string, cause?: unknown): StartError {
  if (cause instanceof StartError) return cause
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new StartError('service_failed', `${service}: ${what}${why}`, cause === undefined ? {} : { cause })
}

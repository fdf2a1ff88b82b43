import { feedContractId } from '../../bus/local/index.ts'
import type { ServiceDefinition } from '../../service/service.ts'
import { StartError } from '../start-error.ts'
import type { System } from '../system.ts'

/** Ids of the feed contracts by which other processes read what a service publishes. */
export function feedsOf({ contracts, store }: ServiceDefinition): readonly string[] {
  if (store === undefined) return []
  return contracts.filter(({ events }) => Object.keys(events).length > 0).map(({ id }) => feedContractId(id))
}

/** Ids of the contracts whose events a service is told of. */
export function streamsOf({ subscriptions, sagas }: ServiceDefinition): readonly string[] {
  const handled = subscriptions.flatMap(({ events }) => events)
  const awaited = sagas.flatMap(({ on, waits }) => (on === undefined ? waits : [on, ...waits]))
  return [...new Set([...handled, ...awaited].map(({ contractId }) => contractId))]
}

/**
 * A subscription to what nobody in the system publishes would wait for ever.
 * @throws StartError `service_failed` with the remedy
 */
export function checkStreams(system: System, definition: ServiceDefinition): void {
  const { name, store } = definition
  const streams = streamsOf(definition)
  if (streams.length > 0 && store === undefined) {
    throw failed(
      name,
      'it subscribes to events and has no store to note in what it has handled; give it one: store: postgres({ migrations })',
    )
  }
  const implemented = new Set(system.services.flatMap(({ contracts }) => contracts.map(({ id }) => id)))
  for (const stream of streams) {
    if (implemented.has(stream)) continue
    const remedy = 'place one with run(...), or take the subscription away'
    throw failed(name, `it subscribes to events of ${stream}, and no service of the system implements that; ${remedy}`)
  }
}

function failed(service: string, what: string): StartError {
  return new StartError('service_failed', `${service}: ${what}`)
}

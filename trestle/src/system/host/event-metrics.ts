import type { SubscriptionObservation } from '../../service/subscriptions/deps.ts'
import type { Metrics } from '../../telemetry/index.ts'

/** Measures what becomes of events: counters of what was done, gauges of what waits in the inbox of each subscription. */
export function eventMetrics(metrics: Metrics): (observation: SubscriptionObservation) => void {
  const labels = ['service', 'subscription']
  const counters = {
    handled: metrics.counter('trestle_events_handled_total', { help: 'Events that were handled.', labels }),
    failed: metrics.counter('trestle_events_failed_total', { help: 'Tries to handle an event that failed.', labels }),
    parked: metrics.counter('trestle_events_parked_total', { help: 'Keys that were parked.', labels }),
  }
  const gauges = {
    waiting: metrics.gauge('trestle_events_waiting', { help: 'Events in the inbox that wait to be handled.', labels }),
    parkedKeys: metrics.gauge('trestle_event_keys_parked', { help: 'Keys that wait for a person.', labels }),
    oldest: metrics.gauge('trestle_inbox_oldest_seconds', {
      help: 'Age of the oldest event in the inbox that is not parked and has not been handled, in seconds. What was published and has not been taken yet does not count.',
      labels,
    }),
  }
  return (observation) => {
    const { service, subscription, kind } = observation
    if (kind === 'lag') {
      const { waiting, parkedKeys, oldestMs } = observation.lag
      gauges.waiting.with(service, subscription).set(waiting)
      gauges.parkedKeys.with(service, subscription).set(parkedKeys)
      gauges.oldest.with(service, subscription).set(oldestMs / 1_000)
      return
    }
    counters[kind].with(service, subscription).add(kind === 'handled' ? observation.count : 1)
  }
}

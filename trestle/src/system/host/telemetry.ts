import type { Observation } from '../../service/index.ts'
import type { SubscriptionObservation } from '../../service/subscriptions/deps.ts'
import { eventMetrics } from './event-metrics.ts'
import { type OutboxState, outboxMetrics } from './outbox-metrics.ts'
import {
  createLog,
  createMetrics,
  type Log,
  type LogLevel,
  type Metrics,
  processGauges,
} from '../../telemetry/index.ts'

/** What one process says about itself. */
export interface Telemetry {
  readonly log: Log
  readonly metrics: Metrics
  /** The log of a service: its lines carry the service's name. */
  logFor(service: string): Log
  /** Counts one answered call. */
  observe(observation: Observation): void
  /** Counts what became of events, and how far behind a subscription is. */
  observeEvents(observation: SubscriptionObservation): void
  /** Measures the outbox of a service, until what it returns is called. */
  watchOutbox(service: string, read: OutboxState): () => void
  /** A promise that was rejected and nobody looked: a mistake, but no reason to stop. */
  unhandled(reason: unknown): void
  /** All measurements as Prometheus text. */
  metricsText(): string
  close(): void
}

export function createTelemetry(options: { readonly process: string; readonly level: LogLevel }): Telemetry {
  const log = createLog({ name: options.process, level: options.level })
  const metrics = createMetrics()
  const gauges = processGauges(metrics)
  const labels = ['service', 'contract', 'operation']
  const answered = metrics.counter('trestle_calls_total', {
    help: 'Calls that a service answered, by code.',
    labels: [...labels, 'code'],
  })
  const durations = metrics.histogram('trestle_call_duration_seconds', {
    help: 'How long a service took to answer, in seconds.',
    labels,
  })
  const unhandled = metrics.counter('trestle_unhandled_rejections_total', {
    help: 'Promises that were rejected while nobody looked.',
  })
  return {
    log,
    metrics,
    observeEvents: eventMetrics(metrics),
    watchOutbox: outboxMetrics(metrics),
    logFor: (service) => log.child({ service }),
    observe({ service, contract, operation, code, durationMs }) {
      answered.with(service, contract, operation, code).add()
      durations.with(service, contract, operation).observe(durationMs / 1_000)
    },
    unhandled(reason) {
      unhandled.with().add()
      log.error({ err: reason }, 'a promise was rejected and nobody handled it')
    },
    metricsText: () => metrics.text(),
    close: () => gauges.stop(),
  }
}

import type { Metrics } from '../telemetry/metrics.ts'

/** What is counted about the sagas of one service. */
export interface SagaMetrics {
  started(saga: string, count: number): void
  ended(saga: string, outcome: 'done' | 'undone'): void
  stuck(saga: string): void
  /** The database did not take or give something; it is tried again. */
  failed(what: string): void
  /** How many are not finished, how many are only expected, and the age of the oldest that has begun. */
  unfinished(
    saga: string,
    counts: { readonly running: number; readonly stuck: number; readonly expected: number; readonly oldestMs: number },
  ): void
}

/** Counts into the measurements of the process; `undefined`: nobody looks. */
export function sagaMetrics(metrics: Metrics | undefined, service: string): SagaMetrics {
  if (metrics === undefined) return nobodyLooks
  const labels = ['service', 'saga']
  const started = metrics.counter('trestle_sagas_started_total', { help: 'Instances of sagas that began.', labels })
  const ended = metrics.counter('trestle_sagas_ended_total', {
    help: 'Instances of sagas that ended, by outcome.',
    labels: [...labels, 'outcome'],
  })
  const stuck = metrics.counter('trestle_sagas_stuck_total', {
    help: 'How often an instance came to where only people or other code can help.',
    labels,
  })
  const unfinished = metrics.gauge('trestle_sagas_unfinished', {
    help: 'Instances that have not ended, as all replicas see them.',
    labels: [...labels, 'state'],
  })
  const failed = metrics.counter('trestle_sagas_database_failures_total', {
    help: 'How often the database did not take or give what sagas need; each is tried again.',
    labels: ['service', 'what'],
  })
  const oldest = metrics.gauge('trestle_sagas_oldest_unfinished_seconds', {
    help: 'Age of the oldest instance that has not ended.',
    labels,
  })
  return {
    started: (saga, count) => started.with(service, saga).add(count),
    ended: (saga, outcome) => ended.with(service, saga, outcome).add(),
    stuck: (saga) => stuck.with(service, saga).add(),
    failed: (what) => failed.with(service, what).add(),
    unfinished(saga, counts) {
      unfinished.with(service, saga, 'running').set(counts.running)
      unfinished.with(service, saga, 'stuck').set(counts.stuck)
      unfinished.with(service, saga, 'expected').set(counts.expected)
      oldest.with(service, saga).set(counts.oldestMs / 1_000)
    },
  }
}

const nobodyLooks: SagaMetrics = { started() {}, ended() {}, stuck() {}, failed() {}, unfinished() {} }

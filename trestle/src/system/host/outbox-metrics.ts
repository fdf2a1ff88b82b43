import type { Metrics } from '../../telemetry/index.ts'

/** How large the outbox of a service is on disk, and for how long an open transaction has been holding its events back. */
export type OutboxState = () => { readonly bytes: number; readonly heldMs: number }

/** Measures the outboxes of one process, each from when it is watched until the returned function is called. */
export function outboxMetrics(metrics: Metrics): (service: string, read: OutboxState) => () => void {
  const watched = new Map<string, OutboxState>()
  const held = metrics.gauge('trestle_outbox_held_seconds', {
    help: 'For how long an open transaction has been holding back what others have published, in seconds.',
    labels: ['service'],
  })
  const size = metrics.gauge('trestle_outbox_bytes', {
    help: 'Published events that are kept, in bytes on disk.',
    labels: ['service'],
  })
  metrics.onCollect(() => {
    for (const [service, read] of watched) {
      const { bytes, heldMs } = read()
      held.with(service).set(heldMs / 1_000)
      size.with(service).set(bytes)
    }
  })
  return (service, read) => {
    watched.set(service, read)
    return () => void watched.delete(service)
  }
}

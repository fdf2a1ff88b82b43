import { expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/index.ts'
import { eventMetrics } from './event-metrics.ts'

it('says of each subscription what waits in its inbox, under names that say no more than that', () => {
  const metrics = createMetrics()
  const observe = eventMetrics(metrics)
  const of = { service: 'reports', subscription: 'orders.placed' }
  observe({ kind: 'lag', ...of, lag: { waiting: 7, parkedKeys: 2, oldestMs: 1_500 } })
  observe({ kind: 'handled', ...of, count: 3 })
  const text = metrics.text()
  const labels = '{service="reports",subscription="orders.placed"}'
  expect(text).toContain(`trestle_events_waiting${labels} 7`)
  expect(text).toContain(`trestle_event_keys_parked${labels} 2`)
  expect(text).toContain(`trestle_inbox_oldest_seconds${labels} 1.5`)
  expect(text).toContain(`trestle_events_handled_total${labels} 3`)
})

import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/index.ts'
import { outboxMetrics } from './outbox-metrics.ts'

describe('the measurements of outboxes', () => {
  it('are read when they are asked for, as long as the outbox is there', () => {
    const metrics = createMetrics()
    const watch = outboxMetrics(metrics)
    let state = { bytes: 10, heldMs: 1_500 }
    const end = watch('orders', () => state)
    expect(metrics.text()).toContain('trestle_outbox_held_seconds{service="orders"} 1.5')
    state = { bytes: 20, heldMs: 0 }
    expect(metrics.text()).toContain('trestle_outbox_bytes{service="orders"} 20')
    end()
    state = { bytes: 30, heldMs: 0 }
    expect(metrics.text()).toContain('trestle_outbox_bytes{service="orders"} 20')
  })
})

import { describe, expect, it } from 'vitest'
import type { BusCapabilities } from '../store/outbox/bus.ts'
import { checkBus } from './bus-needs.ts'

const enough: BusCapabilities = {
  order: 'none',
  acknowledges: 'event',
  countsDeliveries: false,
  replays: false,
  payloadMaxBytes: 1_000_000,
  durability: 'disk',
}

describe('the bus of a system', () => {
  it('may deliver in any order and say nothing of deliveries: the inbox makes up for it', () => {
    expect(() => checkBus('store', { name: 'b', capabilities: enough })).not.toThrow()
  })

  it('must carry what services may publish, and remember what it acknowledged', () => {
    const capabilities: BusCapabilities = { ...enough, payloadMaxBytes: 65_536, durability: 'memory' }
    expect(() => checkBus('store', { name: 'b', capabilities })).toThrow(
      'store: the bus b carries payloads of 65536 bytes, and services may publish 1000000, and forgets what it has acknowledged',
    )
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import type { Handle, Interceptor } from '../../call/call.ts'
import { access } from '../../gateway/access/contract.ts'
import { type Bench, startBench } from '../../gateway/gateway-fixture.ts'
import { rateLimit, type RateLimitOptions } from '../../gateway/index.ts'
import { accessCounters } from '../../gateway/limits/access-counters.ts'
import { countersConformance } from '../../gateway/limits/counters-conformance.ts'
import { systemClock } from '../../std/clock.ts'
import { type StartedServices, startServices } from '../../testing/start-services.ts'
import service from '../service.ts'

countersConformance("the gateway's database", async () => {
  const services = await startServices([service])
  const counters = accessCounters({ send: services.send, clock: systemClock, timeoutMs: 5_000 })
  return {
    counters,
    close: async () => {
      await services[Symbol.asyncDispose]()
    },
  }
})

const benches: Bench[] = []
afterEach(async () => {
  for (const bench of benches.splice(0)) {
    await bench.stop()
    await bench.gateway.close()
  }
})

/** A gateway whose limits are counted by the service, and that answers everything else by itself. */
async function start(services: StartedServices, limit: Omit<RateLimitOptions, 'per'>): Promise<Bench> {
  const send: Handle = (call) =>
    call.contract === access.id
      ? services.send(call)
      : Promise.resolve({ ok: true, status: 200, body: { kind: 'empty' } } as const)
  const bench = await startBench(undefined, {
    counters: 'shared',
    policies: [rateLimit({ per: 'ip', ...limit })],
    deps: { send },
  })
  benches.push(bench)
  return bench
}

const daily = { allow: 20, windowMs: 86_400_000 }

describe("gateways that count in the gateway's database", () => {
  it('let no more than the burst in between them', async () => {
    await using services = await startServices([service])
    const limit = { name: 'both', ...daily, whenStoreDown: 'closed' } as const
    const gateways = [await start(services, limit), await start(services, limit)]
    const counted = new Map<number, number>()
    for (let round = 0; round < 20; round += 1) {
      const replies = await Promise.all(gateways.flatMap((one) => [one.fetch('/pub/notes'), one.fetch('/pub/notes')]))
      for (const { status } of replies) counted.set(status, (counted.get(status) ?? 0) + 1)
    }
    // On a slow machine a step may come too late: it is a 503 then, and may have been counted.
    const [good, late] = [counted.get(200) ?? 0, counted.get(503) ?? 0]
    expect(good).toBeLessThanOrEqual(20)
    expect(good + late).toBeGreaterThanOrEqual(20)
    expect([...counted.keys()].every((status) => [200, 429, 503].includes(status))).toBe(true)
  })

  it.each(['hangs', 'is gone'] as const)(
    'do as each limit says when the service %s under load, and never fail',
    async (how) => {
      const fault = { hangs: false }
      const intercept: Interceptor = (call, next) => (fault.hangs ? new Promise(() => {}) : next(call))
      const services = await startServices([service], { intercept })
      const [local, open, closed] = [
        await start(services, { name: 'local', ...daily, whenStoreDown: 'local' }),
        await start(services, { name: 'open', allow: 100_000, windowMs: 86_400_000, whenStoreDown: 'open' }),
        await start(services, { name: 'closed', allow: 100_000, windowMs: 86_400_000, whenStoreDown: 'closed' }),
      ]
      const state = { down: false, over: false }
      const seen = {
        local: new Map<number, number>(),
        open: new Map<number, number>(),
        closed: new Map<number, number>(),
      }
      const load = async (name: keyof typeof seen, bench: Bench) => {
        while (!state.over) {
          const sentWhenDown = state.down
          const { status } = await bench.fetch('/pub/notes')
          if (sentWhenDown) seen[name].set(status, (seen[name].get(status) ?? 0) + 1)
        }
      }
      const running = [load('local', local), load('open', open), load('closed', closed)]
      await expect.poll(async () => (await open.fetch('/pub/notes')).status).toBe(200)
      if (how === 'hangs') fault.hangs = true
      else await services[Symbol.asyncDispose]()
      state.down = true
      const enough = () =>
        (seen.open.get(200) ?? 0) > 50 && (seen.closed.get(503) ?? 0) > 50 && (seen.local.get(429) ?? 0) > 50
      await expect.poll(enough, { timeout: 20_000 }).toBe(true)
      state.over = true
      await Promise.all(running)
      expect([...seen.open.keys()]).toEqual([200])
      expect([...seen.closed.keys()]).toEqual([503])
      expect([...seen.local.keys()].every((status) => status === 200 || status === 429)).toBe(true)
      for (const bench of benches) expect(bench.errors).toEqual([])
      fault.hangs = false
      await services[Symbol.asyncDispose]()
    },
  )
})

import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { switches } from './contract.ts'

let services: StartedServices
const ask = () => services.client(switches)
const take = (step: 'authorize' | 'capture', payer: string[] = [], payment_id = crypto.randomUUID()) =>
  ask().take({ payment_id, step, payer })

/** The service as it is loaded with `PAYMENTS_SWITCHES` as it is now. */
async function start(value: string): Promise<StartedServices> {
  vi.stubEnv('PAYMENTS_SWITCHES', value)
  vi.resetModules()
  const { default: service } = await import('./service.ts')
  return startServices([service])
}

describe('the switches', () => {
  beforeAll(async () => {
    services = await start('on')
  })
  beforeEach(() => ask().reset({}))
  afterAll(async () => {
    await services?.[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  })

  it('are all off at first, and set as a whole', async () => {
    const off = await ask().read({})
    expect(Object.values(off).every((value) => value === 0 || (Array.isArray(value) && value.length === 0))).toBe(true)
    const set = await ask().set({ decline_captures: 2, webhooks_late_ms: 50 })
    expect(set).toEqual({ ...off, decline_captures: 2, webhooks_late_ms: 50 })
    expect(await ask().set({ webhooks_repeated: 1 })).toEqual({ ...off, webhooks_repeated: 1 })
  })

  it('decline the next so many payments, however many ask at once, and those of payers by name', async () => {
    await ask().set({ decline_authorizations: 3, declined_payers: ['eve@example.org'] })
    const answers = await Promise.all(Array.from({ length: 10 }, () => take('authorize', ['ada', 'ada@example.org'])))
    expect(answers.filter(({ declined }) => declined).length).toBe(3)
    expect(await take('capture', ['eve', 'eve@example.org'])).toEqual({ declined: true })
    expect(await take('capture', ['eve'])).toEqual({ declined: false })
  })

  it('say the same of a payment that is asked about again', async () => {
    await ask().set({ decline_captures: 1 })
    const payment = crypto.randomUUID()
    expect(await take('capture', [], payment)).toEqual({ declined: true })
    expect(await take('capture', [], payment)).toEqual({ declined: true })
    expect((await ask().read({})).decline_captures).toBe(0)
    expect(await take('capture')).toEqual({ declined: false })
  })

  it('withhold the next so many replies', async () => {
    await ask().set({ time_out_captures: 2 })
    const asked = await Promise.all(Array.from({ length: 5 }, () => ask().takeTimeOut({ step: 'capture' })))
    expect(asked.filter(({ withheld }) => withheld).length).toBe(2)
    expect(await ask().takeTimeOut({ step: 'refund' })).toEqual({ withheld: false })
  })

  it('hold every other delivery up, beginning with the first', async () => {
    await ask().set({ webhooks_late_ms: 5, webhooks_reordered_ms: 100, webhooks_repeated: 2 })
    const late = []
    for (let n = 0; n < 3; n++) late.push(await ask().takeDelivery({}))
    expect(late.map(({ late_ms }) => late_ms)).toEqual([105, 5, 105])
    expect(late.every(({ repeated }) => repeated === 2)).toBe(true)
  })
})

describe('switches that are off', () => {
  it('cannot be moved, and everything goes well', async () => {
    await using off = await start('')
    const one = off.client(switches)
    for (const asked of [one.read.try({}), one.set.try({ decline_captures: 1 }), one.reset.try({})]) {
      expect(await asked).toMatchObject({ ok: false, error: { code: 'switches_off', status: 409 } })
    }
    expect(await one.take({ payment_id: crypto.randomUUID(), step: 'capture', payer: [] })).toEqual({ declined: false })
    expect(await one.takeTimeOut({ step: 'capture' })).toEqual({ withheld: false })
    expect(await one.takeDelivery({})).toEqual({ late_ms: 0, repeated: 0 })
    vi.unstubAllEnvs()
  })
})

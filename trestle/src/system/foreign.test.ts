import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runners, type TestSystem } from '../testing/index.ts'

const foreign = new URL('./fixtures/foreign/system.ts', import.meta.url)

/** A service that knows nothing of Trestle: one rate, and whatever a test makes it say. */
function foreignService(): Server & { says: string } {
  const server = createServer((request, response) => {
    const currency = /^\/v2\/rates\/([A-Z]{3})$/.exec(request.url ?? '')?.[1]
    response.statusCode = currency === undefined ? 404 : 200
    response.setHeader('content-type', 'application/json')
    response.end(currency === undefined ? '{}' : service.says.replace('CURRENCY', currency))
  })
  const service = Object.assign(server, { says: '' })
  return service
}

describe.each(runners)('a service outside the system, on the runner %s', (runner) => {
  let service: ReturnType<typeof foreignService>
  let system: TestSystem
  beforeAll(async () => {
    service = foreignService()
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    process.env['TEST_RATES_URL'] = `http://127.0.0.1:${(service.address() as AddressInfo).port}/v2`
    // Read when the module of the system is: each runner needs its own.
    system = await runner.start(new URL(`?${runner.name}`, foreign))
  })
  afterAll(async () => {
    await system.stop()
    service.close()
    delete process.env['TEST_RATES_URL']
  })
  beforeEach(() => {
    service.says = '{"currency":"CURRENCY","rate":1.25,"more":"of it"}'
  })
  afterEach(() => service.closeAllConnections())

  async function ask(path: string) {
    const reply = await system.fetch(path)
    return { status: reply.status, ...((await reply.json()) as { code?: string; detail?: string }) }
  }

  it('is called by its contract, from a service and from the gateway', async () => {
    expect(await ask('/prices/EUR')).toEqual({ status: 200, price: 125 })
    expect(await ask('/rates/EUR')).toEqual({ status: 200, currency: 'EUR', rate: 1.25 })
  })

  it('that answers what its contract does not allow is a bad gateway, and a fault to its caller', async () => {
    service.says = '{"currency":"CURRENCY","rate":"high"}'
    expect(await ask('/rates/EUR')).toMatchObject({ status: 502, code: 'bad_reply' })
    expect(await ask('/prices/EUR')).toMatchObject({ status: 500, code: 'internal' })
  })

  it('that is down is told as such, and is asked again when it is back', async () => {
    const { port } = service.address() as AddressInfo
    service.close()
    service.closeAllConnections()
    await once(service, 'close')
    expect(await ask('/prices/EUR')).toMatchObject({
      status: 503,
      code: 'dependency_unavailable',
      detail: 'rates.find: unavailable',
    })
    expect(await ask('/rates/EUR')).toMatchObject({ status: 503, code: 'unavailable' })
    service.listen(port, '127.0.0.1')
    await once(service, 'listening')
    expect(await ask('/prices/EUR')).toMatchObject({ status: 200 })
  })

  const call = (contract: string, operation: string, input: object) =>
    system.operator.call({ contract, operation, input })

  it('is called by an operator too, and JSON, bytes and nothing come alike from wherever they come', async () => {
    const rate = { currency: 'EUR', rate: 1.25 }
    expect(await call('rates', 'find', { currency: 'EUR' })).toMatchObject({ body: { kind: 'value', value: rate } })
    expect(await call('prices', 'find', { currency: 'EUR' })).toMatchObject({
      body: { kind: 'value', value: { price: 125 } },
    })
    const label = await call('prices', 'label', {})
    expect(label).toMatchObject({ ok: true, body: { kind: 'bytes', contentType: 'image/png' } })
    expect(label.ok && label.body.kind === 'bytes' && [...label.body.bytes]).toEqual([0x89, 0x50, 0xff, 0])
    expect(await call('prices', 'forget', {})).toMatchObject({ ok: true, status: 204, body: { kind: 'empty' } })
  })
})

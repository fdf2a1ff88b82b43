import { describe, expect, it } from 'vitest'
import { runners } from '../testing/index.ts'
import { counter, greeter } from './fixtures/tiny/contracts.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

async function codeOf(reply: Response): Promise<unknown> {
  return ((await reply.json()) as { code: unknown }).code
}

describe.each(runners)('a system on the runner %s', (runner) => {
  it('serves through its gateway, between its services and to an operator', async () => {
    await using system = await runner.start(tiny)
    const greeting = await system.fetch('/greetings/ann')
    expect(greeting.status).toBe(200)
    expect(await greeting.json()).toMatchObject({ text: 'Hello, ann', count: 1 })

    // Declared errors, missing routes and mistakes are told apart.
    const missing = await system.fetch('/counts/nobody')
    expect([missing.status, await codeOf(missing)]).toEqual([404, 'no_such_count'])
    const wrong = await system.fetch('/counts/x', { method: 'PUT', body: { value: 'many' } })
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'invalid_input'])
    const mistake = await system.fetch('/mistakes')
    expect([mistake.status, await codeOf(mistake)]).toEqual([500, 'internal'])

    // The start hook ran; the operator may call what is not exposed.
    const counts = system.client(counter)
    expect((await counts.read({ name: 'first' })).value).toBe(1)
    expect((await counts.addOnce({ name: 'keyed' }, { key: 'k1' })).value).toBe(1)
    expect((await counts.addOnce({ name: 'keyed' }, { key: 'k1' })).value).toBe(1)
    expect((await counts.addOnce({ name: 'keyed' }, { key: 'k2' })).value).toBe(2)
    expect((await system.client(greeter).count({ name: 'first' })).value).toBe(1)

    const status = await system.ps()
    expect(status.services.map(({ service, state, version }) => [service, state, version])).toEqual([
      ['greeter', 'ready', '1.2.0'],
      ['counter', 'ready', '1.0.0'],
      ['gateway', 'ready', undefined],
    ])
    const pids = new Set(status.services.flatMap((service) => service.processes.map((process) => process.pid)))
    expect(pids.size).toBe(runner.name === 'split' ? 3 : 1)
    expect(pids.has(process.pid)).toBe(runner.name !== 'split')
  })
})

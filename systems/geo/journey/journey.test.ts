import { describe, expect, it } from 'vitest'
import { clientOf } from './client.ts'
import { journey, type Step } from './journey.ts'
import { startGeo } from './running-geo.ts'

describe('the system as `trestle start` runs it', () => {
  it('writes no key and no password into its logs, wherever the key was', { timeout: 120_000 }, async () => {
    await using geo = await startGeo({ GEO_PASSWORD_BLOCKS: '1024', TRESTLE_LOG_LEVEL: 'debug' })
    const ask = clientOf(geo.url)
    const password = 'a password that is looked for'
    const { key } = (await ask('POST', '/accounts', { body: { email: 'ada@example.org', password } })).body
    const wrong = `${key.slice(0, -6)}000000`
    const statuses = []
    for (const path of ['/v1/8.8.8.8', '/v1/?ip_address=8.8.8.8&fields=country', '/v1/x', '/nowhere']) {
      const mark = path.includes('?') ? '&' : '?'
      statuses.push((await ask('GET', `${path}${mark}api_key=${key}`)).status)
      statuses.push((await ask('GET', `${path}${mark}api_key=${wrong}`)).status)
      statuses.push((await ask('GET', path, { key })).status)
    }
    expect(new Set(statuses)).toEqual(new Set([200, 401, 404, 429]))
    await geo.stop()
    const said = geo.said()
    // The log was read, and the requests are in it.
    expect(said.match(/"path":"\/v1\/8\.8\.8\.8"/g)?.length).toBe(3)
    expect(said).toContain('"path":"/nowhere"')
    for (const secret of [key, wrong, password]) expect(said).not.toContain(secret)
    expect(said).not.toContain(key.slice(9, 30))
    // The last usage was written down before the services stopped taking calls.
    expect(said).not.toContain('could not be recorded')
  })

  it('tells of a promise that is broken', async () => {
    const steps: Step[] = []
    const down = { status: 503, headers: new Headers(), body: { code: 'unavailable', key: null } }
    await journey(
      () => Promise.resolve(down),
      (step) => steps.push(step),
    )
    expect(steps.map(({ kept }) => kept)).toEqual([false])
  })
})

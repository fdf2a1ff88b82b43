import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { introspection } from './introspection.ts'
import { json, type ScriptedIssuer, scriptedIssuer } from './issuer-fixture.ts'

const active = () => json({ active: true, sub: 'alice', scope: 'admin root', aud: ['api'], tenant: 'acme' })
let aheadMs = 0
const now = () => Date.now() + aheadMs

describe('opaque tokens', () => {
  let issuer: ScriptedIssuer
  let bench: Bench
  beforeAll(async () => {
    issuer = await scriptedIssuer(active)
    const asked = introspection({
      issuer: issuer.url,
      clientId: 'gateway',
      clientSecret: 'secret',
      audience: 'api',
      tenantClaim: 'tenant',
      allowPrivateNetworks: true,
    })
    bench = await startBench(undefined, { authenticate: [asked], deps: { clock: { ...systemClock, now } } })
  })
  beforeEach(() => {
    issuer.asked.length = 0
    issuer.answer = active
    aheadMs = 0
  })
  afterAll(async () => {
    await bench.stop()
    await issuer[Symbol.asyncDispose]()
  })
  const ask = async (token: string) =>
    (await bench.fetch('/admin/x', { headers: { Authorization: `Bearer ${token}` } })).status

  it('are asked about, and remembered for a moment', async () => {
    expect([await ask('one'), await ask('one')]).toEqual([200, 200])
    expect(bench.calls.at(-1)?.caller).toMatchObject({ id: 'alice', scopes: ['admin', 'root'], tenant: 'acme' })
    expect(issuer.asked.map((asked) => asked.get('token'))).toEqual(['one'])
    issuer.answer = () => json({ active: false })
    expect(await ask('one')).toBe(200)
    aheadMs = 5_001
    expect(await ask('one')).toBe(401)
    expect(await ask('one')).toBe(401)
  })

  it.each([
    ['not active', { active: false, sub: 'alice' }],
    ['for another audience', { active: true, sub: 'alice', aud: 'other' }],
    ['for no audience', { active: true, sub: 'alice' }],
    ["nobody's", { active: true, aud: 'api' }],
    ['expired', { active: true, sub: 'alice', aud: 'api', exp: 1 }],
  ])('that are %s are refused', async (what, answer) => {
    issuer.answer = () => json(answer)
    expect(await ask(`token-${what.replaceAll(/[^a-z]/g, '-')}`)).toBe(401)
  })

  it('are 503 when the issuer does not answer', async () => {
    issuer.answer = () => ({ status: 500, headers: [] })
    expect(await ask('two')).toBe(503)
    issuer.answer = () => json({ error: 'invalid_client' }, 401)
    expect(await ask('two')).toBe(503)
    issuer.answer = active
    expect(await ask('two')).toBe(200)
  })
})

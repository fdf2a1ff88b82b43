import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { systemClock } from '../../std/clock.ts'
import { jwt } from '../authentication/jwt.ts'
import { developmentIssuer } from '../development-issuer/development-issuer.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from '../upstream/upstream.ts'
import { clientCredentials, type ClientCredentialsOptions } from './client-credentials.ts'
import { json, type ScriptedIssuer, scriptedIssuer } from './issuer-fixture.ts'

const ask = async (bench: Bench) => (await bench.fetch('/up/x')).status

describe("a token of the gateway's own", () => {
  let issuer: ScriptedIssuer
  let behind: RecordingUpstream
  let aheadMs = 0
  let given = 0
  const benches: Bench[] = []
  const warnings: object[] = []
  const next = () => json({ access_token: `token-${(given += 1)}`, token_type: 'Bearer', expires_in: 300 })

  beforeAll(async () => {
    issuer = await scriptedIssuer(next)
    behind = await recordingUpstream()
  })
  beforeEach(() => {
    given = 0
    aheadMs = 0
    issuer.answer = next
    issuer.asked.length = 0
    warnings.length = 0
    behind.reply = () => rawReply('ok')
    behind.clear()
  })
  afterEach(() => Promise.all(benches.splice(0).map((bench) => bench.stop())))
  afterAll(async () => {
    await behind.stop()
    await issuer[Symbol.asyncDispose]()
  })

  async function start(options: Partial<ClientCredentialsOptions> = {}) {
    const own = clientCredentials({
      issuer: issuer.url,
      clientId: 'gateway',
      clientSecret: 'secret',
      allowPrivateNetworks: true,
      ...options,
    })
    const bench = await startBench(undefined, {
      authenticate: [],
      routes: [upstream('/up/*', [behind.url], { access: anyone(), policies: [own] })],
      deps: {
        clock: { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs },
        log: { info() {}, warn: (fields) => void warnings.push(fields), error() {} },
      },
    })
    benches.push(bench)
    return bench
  }
  const shown = () => behind.requests.map((text) => /\r\nauthorization: (.*)\r\n/i.exec(text)?.[1])

  it('is asked for once for all requests, and shown in place of what the client sent', async () => {
    const bench = await start({ scopes: ['read', 'write'], resource: 'https://ledger.example.com' })
    const own = { headers: { Authorization: 'Basic eDp5' } }
    const replies = await Promise.all([1, 2, 3].map(() => bench.fetch('/up/x', own)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1'])
    expect(issuer.asked.map((asked) => Object.fromEntries(asked))).toEqual([
      { grant_type: 'client_credentials', scope: 'read write', resource: 'https://ledger.example.com' },
    ])
  })

  it('is replaced before it expires, while nobody waits', async () => {
    const bench = await start()
    await ask(bench)
    aheadMs = 269_000
    await ask(bench)
    expect(given).toBe(1)
    aheadMs = 271_000
    const { promise, resolve } = Promise.withResolvers<void>()
    issuer.answer = async () => {
      await promise
      return next()
    }
    expect([await ask(bench), await ask(bench)]).toEqual([200, 200])
    expect(shown().at(-1)).toBe('Bearer token-1')
    resolve()
    await expect.poll(async () => [await ask(bench), shown().at(-1)]).toEqual([200, 'Bearer token-2'])
    expect(given).toBe(2)
  })

  it('is given up when an upstream does not accept it any more, but not when it is new', async () => {
    const bench = await start()
    behind.reply = () => rawReply('', '', '401 Unauthorized')
    expect([await ask(bench), await ask(bench)]).toEqual([401, 401])
    expect(given).toBe(1)
    aheadMs = 10_001
    expect([await ask(bench), await ask(bench)]).toEqual([401, 401])
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  it('that the issuer refuses is 502, that cannot be asked for 503; nothing reaches the upstream', async () => {
    const bench = await start()
    issuer.answer = () => json({ error: 'invalid_client' }, 401)
    expect([await ask(bench), await ask(bench)]).toEqual([502, 502])
    expect(issuer.asked).toHaveLength(1)
    aheadMs = 1_001
    issuer.answer = () => ({ status: 500, headers: [] })
    expect(await ask(bench)).toBe(503)
    aheadMs = 2_002
    issuer.answer = () => json({ access_token: 'half-a-token', token_type: 'unheard-of' })
    expect(await ask(bench)).toBe(502)
    expect(warnings).toHaveLength(3)
    expect(JSON.stringify(warnings)).not.toMatch(/half-a-token|secret/)
    expect(warnings[0]).toMatchObject({
      clientId: 'gateway',
      reason: expect.stringContaining('invalid_client') as string,
    })
    expect(behind.requests).toEqual([])
    aheadMs = 3_003
    issuer.answer = next
    expect(await ask(bench)).toBe(200)
    const unreachable = await start({ issuer: 'http://127.0.0.1:1' })
    expect(await ask(unreachable)).toBe(503)
    const forbidden = await start({ issuer: 'https://169.254.169.254', allowPrivateNetworks: false })
    expect(await ask(forbidden)).toBe(503)
  })

  it('comes from an address that is given instead of an issuer', async () => {
    const tokenUrl = `${issuer.url}/token`
    const own = clientCredentials({ tokenUrl, clientId: 'a', clientSecret: 'b', allowPrivateNetworks: true })
    const bench = await startBench(undefined, {
      authenticate: [],
      routes: [upstream('/up/*', [behind.url], { access: anyone(), policies: [own] })],
    })
    benches.push(bench)
    expect(await ask(bench)).toBe(200)
    expect(shown()).toEqual(['Bearer token-1'])
  })

  it('opens the door of another gateway', async () => {
    await using real = await developmentIssuer({
      clients: [{ id: 'gateway', secret: 'secret' }],
      scopes: ['admin', 'root'],
    })
    const inner = await startBench(undefined, {
      authenticate: [jwt({ issuer: real.url, audience: real.audience, allowPrivateNetworks: true })],
    })
    benches.push(inner)
    const own = clientCredentials({
      issuer: real.url,
      clientId: 'gateway',
      clientSecret: 'secret',
      scopes: ['admin', 'root'],
      allowPrivateNetworks: true,
    })
    const outer = await startBench(undefined, {
      authenticate: [],
      routes: [upstream('/admin/*', [`http://127.0.0.1:${inner.port}`], { access: anyone(), policies: [own] })],
    })
    benches.push(outer)
    expect((await outer.fetch('/admin/x')).status).toBe(200)
    expect(inner.calls.at(-1)?.caller).toMatchObject({ id: 'gateway', scopes: ['admin', 'root'] })
  })
})

describe('clientCredentials', () => {
  const good = { issuer: 'https://login.example.com', clientId: 'a', clientSecret: 'b' }
  it.each<[Partial<ClientCredentialsOptions>, RegExp]>([
    [{ tokenUrl: 'https://login.example.com/token' }, /not both/],
    [{ issuer: 'http://login.example.com' }, /not https/],
    [{ clientSecret: '' }, /clientSecret/],
    [{ refreshBeforeMs: -1 }, /refreshBeforeMs/],
  ])('refuses %o at its definition', (options, message) => {
    expect(() => clientCredentials({ ...good, ...options })).toThrow(message)
  })
})

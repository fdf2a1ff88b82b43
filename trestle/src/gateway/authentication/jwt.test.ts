import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { jwt, type JwtOptions } from './jwt.ts'
import { signingKey, type TokenIssuer, tokenIssuer } from './token-issuer-fixture.ts'

const clock = virtualClock()
const asked: Bench[] = []

async function benchFor(issuer: TokenIssuer, options: Partial<JwtOptions> = {}, others: readonly JwtOptions[] = []) {
  const first = { issuer: issuer.url, audience: issuer.audience, allowPrivateNetworks: true, ...options }
  const bench = await startBench(undefined, {
    authenticate: [first, ...others].map(jwt),
    deps: { clock },
  })
  asked.push(bench)
  return bench
}

interface Outcome {
  readonly status: number
  readonly code: string | undefined
  readonly detail: string | undefined
}

async function ask(bench: Bench, token: string, path = '/mine'): Promise<Outcome> {
  const reply = await bench.fetch(path, { headers: { Authorization: `Bearer ${token}` } })
  const { code, detail } = (await reply.json()) as Partial<Outcome>
  return { status: reply.status, code, detail }
}

const statusOf = async (bench: Bench, token: string, path?: string) => (await ask(bench, token, path)).status
const callerOf = (bench: Bench) => bench.calls.at(-1)?.caller

describe('tokens of an issuer', () => {
  let issuer: TokenIssuer
  beforeAll(async () => {
    issuer = await tokenIssuer(() => clock.now())
  })
  afterAll(async () => {
    await issuer[Symbol.asyncDispose]()
    await Promise.all(asked.map((bench) => bench.stop()))
  })

  it('become the caller: subject, scopes, tenant and plan', async () => {
    const key = await signingKey('a')
    issuer.keys = [key.jwk]
    const bench = await benchFor(issuer, { tenantClaim: 'org.id', planClaim: 'https://plan', subjectPrefix: 'x:' })
    const claims = { scope: 'admin root', org: { id: 't1' }, 'https://plan': 'free' }
    expect(await statusOf(bench, await issuer.sign(key, claims), '/admin/x')).toBe(200)
    const caller = { kind: 'user', id: 'x:alice', scopes: ['admin', 'root'], tenant: 't1', plan: 'free' }
    expect(callerOf(bench)).toEqual(caller)
    expect(await statusOf(bench, await issuer.sign(key, { scope: 'admin' }), '/admin/x')).toBe(403)
  })

  it('carry their scopes as the issuer writes them', async () => {
    const key = await signingKey('a')
    issuer.keys = [key.jwk]
    const plain = await benchFor(issuer)
    for (const claims of [{ scope: 'a b' }, { scp: ['a', 'b'] }, { scp: 'a b' }]) {
      await ask(plain, await issuer.sign(key, claims))
      expect(callerOf(plain)?.scopes).toEqual(['a', 'b'])
    }
    const roles = await benchFor(issuer, { scopesClaim: 'realm_access.roles' })
    await ask(roles, await issuer.sign(key, { scope: 'openid', realm_access: { roles: ['a', 7, 'b'] } }))
    expect(callerOf(roles)?.scopes).toEqual(['a', 'b'])
  })

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])('may be signed with %s', async (alg) => {
    const key = await signingKey('k', alg)
    const bench = await benchFor(issuer, { jwks: { keys: [key.jwk] } })
    expect(await statusOf(bench, await issuer.sign(key))).toBe(200)
  })

  it('are refused unless every claim is right', async () => {
    const key = await signingKey('a')
    const bench = await benchFor(issuer, { jwks: { keys: [key.jwk] }, requiredClaims: ['client_id'] })
    const seconds = Math.floor(clock.now() / 1_000)
    const good = { client_id: 'app' }
    const refusedWith = async (claims: Record<string, unknown>, header?: Record<string, unknown>) =>
      await ask(bench, await issuer.sign(key, { ...good, ...claims }, header))
    expect((await refusedWith({})).status).toBe(200)
    const refusals = [
      await refusedWith({ aud: 'https://other.example.com' }),
      await refusedWith({ aud: undefined }),
      await refusedWith({ exp: undefined }),
      await refusedWith({ exp: 'later' }),
      await refusedWith({ nbf: seconds + 60 }),
      await refusedWith({ client_id: undefined }),
      await refusedWith({ sub: undefined }),
      await refusedWith({ sub: '' }),
      await refusedWith({}, { typ: 'logout+jwt' }),
      await refusedWith({}, { typ: 'dpop+jwt' }),
      await refusedWith({}, { crit: ['x'], x: 1 }),
    ]
    expect(refusals.map(({ status, code }) => `${status} ${code}`)).toEqual(refusals.map(() => '401 unauthenticated'))
    expect(refusals[0]?.detail).toBe("The token's aud is not accepted here")
  })

  it('must be of the type that is asked for', async () => {
    const key = await signingKey('a')
    const bench = await benchFor(issuer, { jwks: { keys: [key.jwk] }, typ: 'at+jwt' })
    expect(await statusOf(bench, await issuer.sign(key, {}, { typ: 'at+jwt' }))).toBe(200)
    expect(await statusOf(bench, await issuer.sign(key, {}, { typ: 'JWT' }))).toBe(401)
    expect(await statusOf(bench, await issuer.sign(key))).toBe(401)
  })

  it('are told apart from those of other issuers, which others verify', async () => {
    await using other = await tokenIssuer(() => clock.now())
    const [mine, theirs] = [await signingKey('k'), await signingKey('k')]
    const second = {
      issuer: other.url,
      audience: other.audience,
      jwks: { keys: [theirs.jwk] },
      subjectPrefix: 'other:',
    }
    const bench = await benchFor(issuer, { jwks: { keys: [mine.jwk] } }, [second])
    expect(await statusOf(bench, await issuer.sign(mine))).toBe(200)
    expect(callerOf(bench)?.id).toBe('alice')
    expect(await statusOf(bench, await other.sign(theirs))).toBe(200)
    expect(callerOf(bench)?.id).toBe('other:alice')
    expect(await statusOf(bench, await issuer.sign(theirs))).toBe(401)
    expect(await statusOf(bench, await issuer.sign(mine, { iss: 'https://third.example.com' }))).toBe(401)
    expect(await statusOf(bench, 'a.b.c')).toBe(401)
    expect(await statusOf(bench, 'no-token')).toBe(401)
  })

  it('that are verified are remembered until they expire and not a moment longer', async () => {
    const key = await signingKey('a')
    issuer.keys = [key.jwk]
    const bench = await benchFor(issuer, { clockToleranceMs: 0 })
    const token = await issuer.sign(key)
    expect(await statusOf(bench, token)).toBe(200)
    expect(await statusOf(bench, token)).toBe(200)
    await clock.advance(299_000)
    expect(await statusOf(bench, token)).toBe(200)
    await clock.advance(2_000)
    const late = await bench.fetch('/mine', { headers: { Authorization: `Bearer ${token}` } })
    expect([late.status, ((await late.json()) as Outcome).code]).toEqual([401, 'token_expired'])
    expect(late.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/)
  })

  describe('with a key set that is fetched', () => {
    it('follow a rotation without a restart, asking once per cool-down', async () => {
      const [old, young, never] = [await signingKey('old'), await signingKey('young'), await signingKey('never')]
      issuer.keys = [old.jwk]
      const bench = await benchFor(issuer)
      const before = issuer.fetches
      expect(await statusOf(bench, await issuer.sign(old))).toBe(200)
      expect(issuer.fetches - before).toBe(1)

      issuer.keys = [old.jwk, young.jwk]
      expect(await statusOf(bench, await issuer.sign(young))).toBe(401)
      expect(issuer.fetches - before).toBe(1)
      await clock.advance(30_000)
      const both = await Promise.all([1, 2, 3].map(async () => await statusOf(bench, await issuer.sign(young))))
      expect(both).toEqual([200, 200, 200])
      expect(issuer.fetches - before).toBe(2)

      const forged = await issuer.sign(never)
      for (let n = 0; n < 20; n += 1) expect(await statusOf(bench, forged)).toBe(401)
      expect(issuer.fetches - before).toBe(2)
    })

    it('end with their key, though they were remembered', async () => {
      const [old, young] = [await signingKey('old'), await signingKey('young')]
      issuer.keys = [old.jwk]
      const bench = await benchFor(issuer, { keysRefreshMs: 60_000 })
      const token = await issuer.sign(old, { exp: Math.floor(clock.now() / 1_000) + 3_600 })
      expect(await statusOf(bench, token)).toBe(200)
      issuer.keys = [young.jwk]
      await clock.advance(30_000)
      expect(await statusOf(bench, await issuer.sign(young))).toBe(200)
      expect(await statusOf(bench, token)).toBe(401)

      issuer.keys = [old.jwk]
      await clock.advance(61_000)
      await expect.poll(() => statusOf(bench, token)).toBe(200)
    })

    it('go on while the issuer is down, for a bounded time, and are 503 where no key ever came', async () => {
      const key = await signingKey('a')
      issuer.keys = [key.jwk]
      const bench = await benchFor(issuer, { keysKeptMs: 3_600_000 })
      const fresh = async () => await ask(bench, await issuer.sign(key))
      issuer.down = true
      expect((await fresh()).code).toBe('unavailable')
      issuer.down = false
      expect((await fresh()).code).toBe('unavailable')
      await clock.advance(30_000)
      expect((await fresh()).status).toBe(200)
      issuer.down = true
      await clock.advance(3_500_000)
      expect((await fresh()).status).toBe(200)
      await clock.advance(200_000)
      expect(await fresh()).toMatchObject({ status: 503, code: 'unavailable' })
      issuer.down = false
      await clock.advance(30_000)
      expect((await fresh()).status).toBe(200)
    })

    it('take no key set that is larger than any is', async () => {
      const key = await signingKey('a')
      issuer.keys = [{ ...key.jwk, x5c: ['A'.repeat(300_000)] }]
      const bench = await benchFor(issuer)
      expect(await statusOf(bench, await issuer.sign(key))).toBe(503)
    })

    it('keep the last good keys when what comes is no key set', async () => {
      const key = await signingKey('a')
      issuer.keys = [key.jwk]
      const bench = await benchFor(issuer)
      const token = await issuer.sign(key)
      expect(await statusOf(bench, token)).toBe(200)
      issuer.keys = []
      await clock.advance(30_000)
      expect(await statusOf(bench, await issuer.sign(await signingKey('b')))).toBe(401)
      expect(await statusOf(bench, await issuer.sign(key))).toBe(200)
    })
  })

  it('without a key id are tried with every key that could be meant', async () => {
    const keys = [await signingKey(undefined), await signingKey(undefined), await signingKey(undefined)]
    const bench = await benchFor(issuer, { jwks: { keys: keys.slice(0, 2).map(({ jwk }) => jwk) } })
    const statuses = await Promise.all(keys.map(async (key) => await statusOf(bench, await issuer.sign(key))))
    expect(statuses).toEqual([200, 200, 401])
  })
})

describe('jwt', () => {
  const good = { issuer: 'https://login.example.com', audience: 'a' }
  it.each<[Partial<JwtOptions>, RegExp]>([
    [{ issuer: 'http://login.example.com' }, /not https/],
    [{ issuer: 'login' }, /no https/],
    [{ audience: [] }, /audience/],
    [{ audience: '' }, /audience/],
    [{ algorithms: ['HS256' as 'RS256'] }, /HS256/],
    [{ algorithms: ['none' as 'RS256'] }, /none/],
    [{ algorithms: [] }, /empty/],
    [{ jwks: 'http://login.example.com/keys' }, /not https/],
    [{ jwks: 'https://user:pass@login.example.com/keys' }, /user/],
    [{ clockToleranceMs: 600_000 }, /clockToleranceMs/],
    [{ cacheMax: 0 }, /cacheMax/],
  ])('refuses %o at its definition', (options, message) => {
    expect(() => jwt({ ...good, ...options })).toThrow(message)
  })
})

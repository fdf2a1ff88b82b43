import { exportJWK, exportSPKI, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { jwt, type JwtOptions } from '../authentication/jwt.ts'
import { signingKey, type TokenIssuer, tokenIssuer } from '../authentication/token-issuer-fixture.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { upstream } from '../upstream/upstream.ts'
import { type RecordingUpstream, recordingUpstream } from './recording-upstream.ts'

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const statusOf = async (bench: Bench, token: string) =>
  (await bench.fetch('/admin/x', { headers: { Authorization: `Bearer ${token}` } })).status

describe('a gateway refuses tokens', () => {
  let issuer: TokenIssuer
  let behind: RecordingUpstream
  let rsa: Awaited<ReturnType<typeof signingKey>>
  const benches: Bench[] = []
  beforeAll(async () => {
    issuer = await tokenIssuer(() => Date.now())
    behind = await recordingUpstream()
    rsa = await signingKey('k1', 'RS256')
    issuer.keys = [rsa.jwk]
  })
  afterAll(async () => {
    await Promise.all(benches.map((bench) => bench.stop()))
    await behind.stop()
    await issuer[Symbol.asyncDispose]()
  })

  async function started(options: Partial<JwtOptions> = {}) {
    const trusted = { issuer: issuer.url, audience: issuer.audience, allowPrivateNetworks: true, ...options }
    const bench = await startBench(undefined, {
      authenticate: [jwt(trusted)],
      routes: [upstream('/admin/*', [behind.url])],
      deps: { clock: systemClock },
    })
    benches.push(bench)
    return bench
  }
  const claims = () => {
    const seconds = Math.floor(Date.now() / 1_000)
    return { iss: issuer.url, aud: issuer.audience, sub: 'root', exp: seconds + 300 }
  }

  it('case 17: alg none, in any spelling, with and without a signature', async () => {
    const bench = await started()
    behind.clear()
    const signature = (await issuer.sign(rsa)).split('.')[2] ?? ''
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, ['RS256']]) {
      for (const end of ['', signature]) {
        const token = `${encoded({ alg, typ: 'JWT', kid: 'k1' })}.${encoded(claims())}.${end}`
        expect([alg, await statusOf(bench, token)]).toEqual([alg, 401])
      }
    }
    expect(behind.requests).toEqual([])
    expect(await statusOf(bench, await issuer.sign(rsa))).toBe(200)
    expect(behind.requests).toHaveLength(1)
  })

  it('case 17: HS256 signed with the RSA public key, in each form in which it is public', async () => {
    const bench = await started()
    const asInline = await started({ jwks: { keys: [rsa.jwk] } })
    behind.clear()
    const pem = await exportSPKI(rsa.publicKey)
    const jwk = await exportJWK(rsa.publicKey)
    const secrets = [pem, pem.trim(), JSON.stringify(jwk), JSON.stringify(rsa.jwk), jwk.n ?? '']
    const bytes = [...secrets.map((secret) => Buffer.from(secret)), Buffer.from(jwk.n ?? '', 'base64url')]
    for (const secret of bytes) {
      for (const header of [{ alg: 'HS256', kid: 'k1' }, { alg: 'HS256' }]) {
        const token = await new SignJWT(claims()).setProtectedHeader(header).sign(secret)
        expect([await statusOf(bench, token), await statusOf(asInline, token)]).toEqual([401, 401])
      }
    }
    expect(behind.requests).toEqual([])
  })

  it('case 17: a secret that stands in the key set is no key', async () => {
    const secret = Buffer.alloc(32, 7)
    const oct = { kty: 'oct', kid: 'shared', k: secret.toString('base64url'), alg: 'HS256' }
    const bench = await started({ jwks: { keys: [rsa.jwk, oct] } })
    behind.clear()
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(secret)
    expect(await statusOf(bench, token)).toBe(401)
    expect(await statusOf(bench, await issuer.sign(rsa))).toBe(200)
  })

  it('case 17: keys that the token brings along or points to; nobody is asked for them', async () => {
    const bench = await started()
    const evil = await signingKey('evil', 'RS256')
    await using elsewhere = await tokenIssuer(() => Date.now())
    elsewhere.keys = [evil.jwk]
    behind.clear()
    const url = `${elsewhere.url}/keys`
    for (const header of [
      { jwk: evil.jwk },
      { jku: url },
      { x5u: url },
      { jwk: evil.jwk, kid: 'k1' },
      { jku: url, kid: 'k1' },
    ]) {
      const { kid: _, ...unnamed } = evil.jwk
      expect(await statusOf(bench, await issuer.sign({ ...evil, jwk: unnamed }, {}, header))).toBe(401)
      expect(await statusOf(bench, await issuer.sign(evil, {}, header))).toBe(401)
    }
    expect(await statusOf(bench, await issuer.sign(rsa, {}, { jku: url }))).toBe(401)
    expect(elsewhere.fetches).toBe(0)
    expect(behind.requests).toEqual([])
  })

  it.each([
    ['good first', ['alice', 'alice']],
    ['bad first', ['alice']],
  ])('case 18: two tokens with equal prefix and kid are two tokens, %s', async (order, callers) => {
    const bench = await started()
    const good = await issuer.sign(rsa, { sub: 'alice' })
    const [head, payload = '', signature = ''] = good.split('.')
    const other = await issuer.sign(rsa, { sub: 'mallory' })
    const bad = [
      // Same head and claims, another signature.
      `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${head}.${payload}.${other.split('.')[2]}`,
      `${head}.${payload}.`,
      // Same head and signature, other claims.
      `${head}.${other.split('.')[1]}.${signature}`,
      `${head}.${encoded({ ...claims(), sub: 'root' })}.${signature}`,
    ]
    behind.clear()
    const tokens = [...(order === 'good first' ? [good] : []), ...bad, good, ...bad]
    for (const token of tokens) expect(await statusOf(bench, token)).toBe(token === good ? 200 : 401)
    expect(behind.requests).toHaveLength(callers.length)
    expect(bench.records.filter(({ status }) => status === 200).map(({ callerId }) => callerId)).toEqual(callers)
  })

  it('that are good go no further, unless an upstream is to have them', async () => {
    const [quiet, open] = [await started(), await started({ forward: true })]
    behind.clear()
    const token = await issuer.sign(rsa)
    await statusOf(quiet, token)
    await statusOf(open, token)
    expect(behind.requests.map((text) => text.includes(token))).toEqual([false, true])
    expect(behind.requests[0]).not.toMatch(/authorization/i)
  })

  describe('case 19: whose keys are at an address that must not be asked', () => {
    const good = { issuer: 'https://login.example.com' }
    it.each([
      ['loopback', 'PORT/keys'],
      ['loopback in decimal', 'https://2130706433:PORT/keys'],
      ['loopback as mapped IPv6', 'https://[::ffff:127.0.0.1]:PORT/keys'],
      ['a name of the loopback', 'https://localhost:PORT/keys'],
      ['a private network', 'https://10.0.0.1/keys'],
      ['metadata', 'https://169.254.169.254/latest/meta-data/'],
      ['metadata in IPv6', 'https://[fd00:ec2::254]/latest/meta-data/'],
    ])('%s: 503, and nobody is asked', async (_, address) => {
      const jwks = address.replace(/^PORT/, `https://127.0.0.1:${behind.port}`).replace('PORT', String(behind.port))
      const bench = await started({ ...good, jwks, allowPrivateNetworks: false })
      behind.clear()
      const before = behind.connections.length
      expect(await statusOf(bench, await issuer.sign(rsa, { iss: good.issuer }))).toBe(503)
      expect(behind.connections).toHaveLength(before)
    })

    it('a discovery document that points to metadata, or to nothing that is HTTP', async () => {
      for (const uri of ['http://169.254.169.254/latest/meta-data/', 'http://0.0.0.0/', 'file:///etc/passwd', 'x']) {
        issuer.jwksUri = uri
        const bench = await started()
        expect([uri, await statusOf(bench, await issuer.sign(rsa))]).toEqual([uri, 503])
      }
      issuer.jwksUri = undefined
    })

    it('an address that redirects: nobody follows', async () => {
      const before = issuer.fetches
      const bench = await started({ jwks: `${issuer.url}/elsewhere` })
      expect(await statusOf(bench, await issuer.sign(rsa))).toBe(503)
      expect(issuer.fetches).toBe(before)
    })
  })
})

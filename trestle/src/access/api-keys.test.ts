import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedIn } from '../contract/index.ts'
import { keyChecksum } from '../gateway/access/key-format.ts'
import { apiKeys, authenticator, documentInfo, gateway, upstream } from '../gateway/index.ts'
import { systemClock } from '../std/clock.ts'
import { type Edge, eventually, startEdge } from './fixtures/edge.ts'

let edge: Edge
/** Two gateways of the same description, one that lets nothing go on when the service is away, one with a clock ahead. */
let [one, two, strict, ahead] = [0, 0, 0, 0]
beforeAll(async () => {
  edge = await startEdge()
  const routes = [upstream('/api/*', [edge.upstream.url], { access: signedIn() })]
  const sessions = authenticator({
    name: 'sessions',
    scheme: 'bearer',
    recognises: (token) => token.startsWith('session-'),
    authenticate: async ({ credential }) => ({ kind: 'user', id: credential, scopes: [] }),
  })
  const options = { authenticate: [apiKeys({ query: 'api_key' }), sessions], routes }
  one = await edge.open(options)
  two = await edge.open(options)
  strict = await edge.open({ authenticate: [apiKeys({ staleMaxMs: 0 })], routes })
  ahead = await edge.open(options, { ...systemClock, now: () => Date.now() + 3_600_000 })
})
afterAll(() => edge[Symbol.asyncDispose]())

const make = (more: { owner?: string; scopes?: string[]; expiresAt?: string } = {}) =>
  edge.ask.createKey({ name: 'test', owner: 'ada', ...more })
const get = (number: number, headers: Record<string, string>, path = '/api/x') => edge.fetch(number, path, { headers })
const statusOf = async (number: number, secret: string) => (await get(number, { 'x-api-key': secret })).status
const codeOf = async (number: number, secret: string) => {
  const reply = await get(number, { 'x-api-key': secret })
  return ((await reply.json()) as { code: string }).code
}

describe('an API key at the gateway', () => {
  it('lets in by header, by query parameter and as a bearer token', async () => {
    const { key, secret } = await make()
    for (const reply of [
      await get(one, { 'X-API-Key': secret }),
      await get(one, {}, `/api/x?a=1&api_key=${secret}`),
      await get(one, {}, `/api/x?api%5Fkey=${secret}`),
      await get(one, { authorization: `Bearer ${secret}` }),
      await get(one, { authorization: `Bearer ${secret}`, 'x-api-key': secret }),
    ]) {
      expect(reply.status).toBe(200)
    }
    expect(edge.records.at(-1)).toMatchObject({ callerKind: 'key', callerId: key.id })
    expect((await get(one, {})).status).toBe(401)
    expect((await get(one, { authorization: 'Bearer session-7' })).status).toBe(200)
  })

  it('is passed on to nobody and stands in no log', async () => {
    const { secret } = await make()
    edge.upstream.clear()
    await get(one, { 'x-api-key': secret, 'x-other': 'kept' }, '/api/x?a=1')
    await get(one, {}, `/api/y?a=%20&api_key=${secret}&b=+`)
    await get(one, { authorization: `Bearer ${secret}` })
    const sent = edge.upstream.requests.join('\n')
    expect(edge.upstream.requests).toHaveLength(3)
    expect(sent).toContain('x-other: kept')
    expect(sent).toMatch(/GET \/api\/y\?a=%20&b=\+ HTTP/)
    expect(sent).not.toContain(secret.slice(0, 16))
    expect(sent.toLowerCase()).not.toContain('authorization')
    expect(JSON.stringify(edge.records)).not.toContain(secret.slice(0, 16))
  })

  it('is asked for once, and unformed ones never', async () => {
    const { secret } = await make()
    edge.asked.length = 0
    for (let n = 0; n < 5; n += 1) expect(await statusOf(one, secret)).toBe(200)
    expect(edge.asked.filter((name) => name === 'lookUpKey')).toHaveLength(1)
    edge.asked.length = 0
    for (const text of [
      '',
      'x',
      secret.slice(0, -1),
      `${secret}0`,
      `${secret.slice(0, -1)}${secret.endsWith('a') ? 'b' : 'a'}`,
    ]) {
      const reply = await get(one, { 'x-api-key': text })
      expect(reply.status).toBe(401)
      expect(reply.headers.get('www-authenticate')).toContain('Bearer realm=')
      expect(await reply.json()).toMatchObject({ code: 'key_unknown' })
    }
    expect(edge.asked).not.toContain('lookUpKey')
    const stranger = `trs_live_${'a'.repeat(30)}`
    const formed = stranger + keyChecksum(stranger)
    for (let n = 0; n < 3; n += 1) expect(await codeOf(one, formed)).toBe('key_unknown')
    expect(edge.asked.filter((name) => name === 'lookUpKey')).toHaveLength(1)
  })

  it('is refused when there are two different credentials, whichever they are', async () => {
    const [a, b] = [(await make()).secret, (await make()).secret]
    const refusals = [
      await get(one, { 'x-api-key': a }, `/api/x?api_key=${b}`),
      await get(one, {}, `/api/x?api_key=${a}&api_key=${b}`),
      await get(one, { 'x-api-key': a, authorization: `Bearer ${b}` }),
      await get(one, { 'x-api-key': a, authorization: 'Bearer session-7' }),
      await get(one, { 'x-api-key': a, authorization: 'Bearer of-nobody' }),
      await get(one, { 'x-api-key': `${a}, ${b}` }),
    ].map(({ status }) => status)
    expect(refusals).toEqual([400, 400, 400, 400, 400, 401])
    // A scheme of no authenticator is for the upstream.
    edge.upstream.clear()
    expect((await get(one, { 'x-api-key': a, authorization: 'Basic dTpw' })).status).toBe(200)
    expect(edge.upstream.requests[0]).toMatch(/authorization: Basic dTpw/i)
  })

  it('is refused by every gateway soon when it is revoked, disabled or changed', async () => {
    for (const end of ['revoke', 'disable', 'expire'] as const) {
      const { key, secret } = await make()
      expect([await statusOf(one, secret), await statusOf(two, secret)]).toEqual([200, 200])
      if (end === 'revoke') await edge.ask.revokeKey({ id: key.id })
      if (end === 'disable') await edge.ask.updateKey({ id: key.id, enabled: false })
      if (end === 'expire') await edge.ask.updateKey({ id: key.id, expiresAt: new Date(1_000).toISOString() })
      await eventually(async () => (await statusOf(one, secret)) === 401 && (await statusOf(two, secret)) === 401)
      const code = end === 'expire' ? 'key_expired' : 'key_disabled'
      expect([await codeOf(one, secret), await codeOf(two, secret)]).toEqual([code, code])
      if (end === 'disable') {
        await edge.ask.updateKey({ id: key.id, enabled: true })
        await eventually(async () => (await statusOf(one, secret)) === 200)
      }
    }
  })

  it('ends by itself at its time, and an old secret at the end of its grace', async () => {
    const soon = new Date(Date.now() + 1_800_000).toISOString()
    const { key, secret } = await make({ expiresAt: soon })
    expect(await statusOf(one, secret)).toBe(200)
    expect(await codeOf(ahead, secret)).toBe('key_expired')
    await edge.ask.updateKey({ id: key.id, expiresAt: null })
    const next = await edge.ask.rotateKey({ id: key.id, graceMs: 1_800_000 })
    await eventually(async () => (await statusOf(ahead, next.secret)) === 200)
    expect(await statusOf(one, secret)).toBe(200)
    expect(await statusOf(one, next.secret)).toBe(200)
    expect(await codeOf(ahead, secret)).toBe('key_expired')
  })

  it('goes on for a while when the service is away, if it was seen before; others are 503', async () => {
    const [seen, unseen] = [(await make()).secret, (await make()).secret]
    expect([await statusOf(one, seen), await statusOf(strict, seen)]).toEqual([200, 200])
    edge.reachable = false
    try {
      expect(await statusOf(one, seen)).toBe(200)
      expect(await statusOf(one, unseen)).toBe(503)
      expect(await statusOf(strict, seen)).toBe(503)
      expect(await codeOf(one, 'garbage')).toBe('key_unknown')
    } finally {
      edge.reachable = true
    }
    await eventually(async () => (await statusOf(one, unseen)) === 200)
  })

  it('says when it was last used, to the minute', async () => {
    const { key, secret } = await make()
    expect(await statusOf(one, secret)).toBe(200)
    await eventually(async () => (await edge.ask.findKey({ id: key.id })).lastUsedAt !== null)
    const { lastUsedAt } = await edge.ask.findKey({ id: key.id })
    expect(lastUsedAt).toMatch(/:00\.000Z$/)
    expect(Date.now() - Date.parse(lastUsedAt as string)).toBeLessThan(120_000)
  })
})

describe('apiKeys', () => {
  it.each([
    [{ header: false, bearer: false }, /nowhere/],
    [{ header: 'Authorization' }, /bearer: true/],
    [{ header: 'a b' }, /no header/],
    [{ query: 'a=b' }, /no name/],
    [{ cacheMax: 0 }, /cacheMax/],
    [{ staleMaxMs: -1 }, /staleMaxMs/],
  ] as const)('refuses %j', (options, message) => {
    expect(() => apiKeys(options)).toThrow(message)
  })
})

it('stands in the OpenAPI document as it is taken', () => {
  const spec = gateway({ authenticate: [apiKeys({ query: 'api_key', bearer: false })], routes: [] })
  expect(documentInfo(spec, 'x').securitySchemes).toEqual({
    apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
    apiKeyInQuery: { type: 'apiKey', in: 'query', name: 'api_key' },
  })
  expect(documentInfo(gateway({ routes: [] }), 'x').securitySchemes).toBeUndefined()
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { systemClock } from '../../std/clock.ts'
import { type DevelopmentIssuer, developmentIssuer } from '../development-issuer/development-issuer.ts'
import { type Bench, notes, startBench } from '../gateway-fixture.ts'
import { recordingUpstream, type RecordingUpstream } from '../refusals/recording-upstream.ts'
import { documentInfo, gateway } from '../gateway.ts'
import { expose } from '../route/expose.ts'
import { upstream } from '../upstream/upstream.ts'
import { oidc, type OidcOptions } from './oidc.ts'
import { scriptedBrowser, type ScriptedBrowser } from './scripted-browser.ts'

const app = 'https://app.test'
const session = '__Host-trestle-session'

const browserOf = ({ port }: Bench) => scriptedBrowser({ [app]: `http://127.0.0.1:${port}` })

/** Presses the button of a user on the issuer's page; stops where `until` says. */
async function logIn(who: ScriptedBrowser, user = 'alice', path = '/auth/login', until?: (url: string) => boolean) {
  const page = await who.follow(`${app}${path}`)
  expect(await page.response.text()).toContain(`value="${user}"`)
  return await who.follow(page.url, { method: 'POST', body: new URLSearchParams({ user }) }, until)
}
const callback = (url: string) => url.startsWith(`${app}/auth/callback`)

describe('log-in with OpenID Connect', () => {
  let issuer: DevelopmentIssuer
  let bench: Bench
  let behind: RecordingUpstream
  let browser: ScriptedBrowser
  /** How far the gateway's clock is ahead. */
  let aheadMs = 0

  const options = (): OidcOptions => ({
    issuer: issuer.url,
    clientId: 'web',
    clientSecret: 'web-secret',
    sessionKey: 'k'.repeat(32),
    scopes: ['admin', 'root'],
    tenantClaim: 'tenant',
    origin: app,
    allowPrivateNetworks: true,
  })

  async function start(more: Partial<OidcOptions> = {}) {
    const login = oidc({ ...options(), ...more })
    return await startBench(undefined, {
      authenticate: [login.sessions],
      routes: [login.pages, expose(notes), upstream('/up/*', [behind.url], { access: anyone() })],
      policies: [login.toLogin],
      deps: { clock: { ...systemClock, now: () => Date.now() + aheadMs } },
    })
  }

  beforeAll(async () => {
    behind = await recordingUpstream()
    issuer = await developmentIssuer({
      clients: [
        { id: 'web', secret: 'web-secret', redirectUris: [`${app}/auth/callback`], logoutUris: [`${app}/`] },
        { id: 'public', redirectUris: [`${app}/auth/callback`] },
      ],
      users: [{ id: 'alice', claims: { tenant: 'acme' } }, { id: 'bob' }],
      scopes: ['admin', 'root'],
    })
    bench = await start()
  })
  afterAll(async () => {
    await bench.stop()
    await issuer.close()
    await behind.stop()
  })
  beforeEach(() => {
    browser = browserOf(bench)
  })
  afterEach(() => {
    aheadMs = 0
  })

  const jar = () => browser.cookies.get(app) ?? new Map<string, string>()

  const askRaw = (more: string) =>
    bench.raw(`GET /mine?x=1 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${more}\r\n`)

  it('takes the user to the issuer and back, and then knows who asks', async () => {
    const { url } = await logIn(browser, 'alice', '/auth/login?returnTo=%2Fpub%2Fnotes%3Fa%3Db')
    expect(url).toBe(`${app}/pub/notes?a=b`)
    expect([...jar().keys()]).toEqual([session])
    const reply = await browser.ask(`${app}/mine`)
    expect(reply.status).toBe(200)
    expect(bench.calls.at(-1)?.caller).toMatchObject({ kind: 'user', id: 'alice', tenant: 'acme' })
    expect((await browser.ask(`${app}/admin/x`)).status).toBe(200)
  })

  it('uses PKCE, state and nonce, and cookies that no script and no other host can use', async () => {
    const reply = await browser.ask(`${app}/auth/login`)
    const { searchParams: asked } = new URL(reply.headers.get('location') ?? '')
    expect(asked.get('code_challenge_method')).toBe('S256')
    for (const name of ['code_challenge', 'state', 'nonce']) expect(asked.get(name)?.length).toBeGreaterThan(20)
    const [cookie = ''] = reply.headers.getSetCookie()
    expect(cookie).toMatch(
      /^__Host-trestle-session-login=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    )
    expect(cookie).not.toContain(asked.get('state'))
  })

  it('takes its own origin from the request, and from a proxy that is trusted alone', async () => {
    const { origin: _, ...unsaid } = options()
    const begun = async (trustedProxies: readonly string[], more: string) => {
      const login = oidc(unsaid)
      const other = await startBench(undefined, {
        authenticate: [login.sessions],
        routes: [login.pages],
        trustedProxies,
      })
      const reply = await other.raw(`GET /auth/login HTTP/1.1\r\nHost: App.test\r\n${more}Connection: close\r\n\r\n`)
      await other.stop()
      const location = new URL(/\r\nLocation: (.*)\r\n/.exec(reply)?.[1] ?? '')
      return [location.searchParams.get('redirect_uri'), /\r\nSet-Cookie: ([^=]*)/.exec(reply)?.[1]]
    }
    const forwarded = 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n'
    const plain = ['http://app.test/auth/callback', 'trestle-session-login']
    expect(await begun([], '')).toEqual(plain)
    expect(await begun([], forwarded)).toEqual(plain)
    const secure = ['https://shop.test/auth/callback', '__Host-trestle-session-login']
    expect(await begun(['127.0.0.1'], forwarded)).toEqual(secure)
  })

  it('works for a public client too', async () => {
    const { clientSecret: _, ...open } = options()
    const login = oidc({ ...open, clientId: 'public' })
    const other = await startBench(undefined, {
      authenticate: [login.sessions],
      routes: [login.pages, expose(notes)],
    })
    const visitor = browserOf(other)
    await logIn(visitor)
    expect((await visitor.ask(`${app}/mine`)).status).toBe(200)
    await other.stop()
  })

  it('sends a browser that asks for a page to log in, and a program its 401', async () => {
    for (const more of ['', 'Sec-Fetch-Mode: navigate\r\n']) {
      const page = await askRaw(`Accept: text/html, */*\r\n${more}`)
      expect(page).toMatch(/^HTTP\/1\.1 302 .*\r\nLocation: \/auth\/login\?returnTo=%2Fmine%3Fx%3D1\r\n/s)
    }
    expect(await askRaw('')).toMatch(/^HTTP\/1\.1 401 /)
    expect(await askRaw('Accept: text/html\r\nSec-Fetch-Mode: cors\r\n')).toMatch(/^HTTP\/1\.1 401 /)
  })

  it.each([
    '//evil.test/',
    '/\\evil.test/',
    'https://evil.test/',
    '/\t/evil.test',
    '/%09/../..//evil.test',
    '/..//evil.test',
    'javascript:alert(1)',
    '',
  ])('returns to no other host: %j', async (target) => {
    const { url } = await logIn(browser, 'alice', `/auth/login?returnTo=${encodeURIComponent(target)}`)
    expect(new URL(url).origin).toBe(app)
  })

  it('accepts a code from the browser that began, with its state, once', async () => {
    const { url } = await logIn(browser, 'alice', '/auth/login', callback)
    const stranger = browserOf(bench)
    expect((await stranger.ask(url)).status).toBe(400)
    await stranger.ask(`${app}/auth/login`)
    expect((await stranger.ask(url)).status).toBe(401)
    const forged = new URL(url)
    forged.searchParams.set('state', 'x'.repeat(43))
    expect((await browser.ask(forged.href)).status).toBe(401)
    const elsewhere = new URL(url)
    elsewhere.searchParams.set('iss', 'https://evil.test')
    expect((await browser.ask(elsewhere.href)).status).toBe(401)
    expect(jar().has(session)).toBe(false)
    const attempt = new Map(jar())
    expect((await browser.ask(url)).status).toBe(303)
    browser.cookies.set(app, attempt)
    expect((await browser.ask(url)).status).toBe(401)
  })

  it('ends an attempt after ten minutes', async () => {
    const { url } = await logIn(browser, 'alice', '/auth/login', callback)
    aheadMs = 601_000
    expect((await browser.ask(url)).status).toBe(400)
  })

  it('lets no page of somebody else change anything with a session', async () => {
    await logIn(browser)
    const post = async (headers: Record<string, string>) =>
      (await browser.ask(`${app}/up/x`, { method: 'POST', body: 'x', headers })).status
    const refused = [
      await post({}),
      await post({ Origin: 'https://evil.test' }),
      await post({ Origin: 'null' }),
      await post({ Origin: `${app}.evil.test` }),
      await post({ Origin: app, 'Sec-Fetch-Site': 'cross-site' }),
      await post({ Origin: 'https://sub.app.test', 'Sec-Fetch-Site': 'same-site' }),
    ]
    expect(refused).toEqual(refused.map(() => 403))
    behind.clear()
    expect(await post({ Origin: app })).toBe(200)
    expect(await post({ 'Sec-Fetch-Site': 'same-origin' })).toBe(200)
    expect(behind.requests).toHaveLength(2)
    expect((await browser.ask(`${app}/mine`, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(200)
  })

  it('shows its cookies to nobody behind the gateway, and leaves the others', async () => {
    await logIn(browser)
    jar().set('theme', 'dark')
    behind.clear()
    await browser.ask(`${app}/up/x`)
    expect(behind.requests[0]).toMatch(/\r\ncookie: theme=dark\r\n/i)
    expect(behind.requests[0]).not.toContain('trestle-session')
  })

  it('takes a cookie that was changed, or sealed with another key, for none', async () => {
    await logIn(browser)
    const good = jar().get(session) ?? ''
    for (const bad of [`${good.slice(0, -2)}AA`, 'x', '', `${good}.x`, 'a.b.c.d.e', 'x'.repeat(5_000)]) {
      jar().set(session, bad)
      expect([bad.slice(0, 9), (await browser.ask(`${app}/mine`)).status]).toEqual([bad.slice(0, 9), 401])
      jar().set(session, bad)
      expect((await browser.ask(`${app}/pub/notes`)).status).toBe(200)
    }
    const rotated = await start({ sessionKey: ['n'.repeat(32), 'k'.repeat(32)] })
    const strange = await start({ sessionKey: 'n'.repeat(32) })
    const statuses = []
    for (const other of [rotated, strange]) {
      const visitor = browserOf(other)
      visitor.cookies.set(app, new Map([[session, good]]))
      statuses.push((await visitor.ask(`${app}/mine`)).status)
      await other.stop()
    }
    expect(statuses).toEqual([200, 401])
  })

  it('takes the cookie of an attempt for no session, and two sessions for none', async () => {
    await browser.ask(`${app}/auth/login`)
    jar().set(session, jar().get(`${session}-login`) ?? '')
    expect((await browser.ask(`${app}/mine`)).status).toBe(401)
    await logIn(browser)
    const own = jar().get(session) ?? ''
    const two = await bench.fetch('/mine', { headers: { Cookie: `${session}=${own}; ${session}=other` } })
    expect(two.status).toBe(401)
  })

  it('refreshes a session when its token has run out, once for requests at the same time', async () => {
    await logIn(browser)
    const before = jar().get(session)
    aheadMs = 301_000
    const replies = await Promise.all([1, 2, 3].map(() => browser.ask(`${app}/mine`)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    const given = new Set(replies.flatMap((reply) => reply.headers.getSetCookie()))
    expect(given.size).toBe(1)
    expect(jar().get(session)).not.toBe(before)
    const next = await browser.ask(`${app}/mine`)
    expect([next.status, next.headers.getSetCookie()]).toEqual([200, []])
  })

  it('ends a session after its longest time, however fresh', async () => {
    await logIn(browser)
    aheadMs = 8 * 3_600_000 + 1_000
    const reply = await browser.ask(`${app}/mine`)
    expect(reply.status).toBe(401)
    expect(jar().has(session)).toBe(false)
  })

  it('logs out here and at the issuer; the refresh token is worth nothing then', async () => {
    await logIn(browser)
    const stolen = jar().get(session) ?? ''
    const cross = { 'Sec-Fetch-Site': 'cross-site' }
    expect((await browser.ask(`${app}/auth/logout`, { headers: cross })).status).toBe(403)
    const page = await browser.follow(`${app}/auth/logout`)
    expect(jar().has(session)).toBe(false)
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(await page.response.text())?.[1] ?? ''
    const action = `${issuer.url}/session/end/confirm`
    const body = new URLSearchParams({ xsrf, logout: 'yes' })
    const end = await browser.follow(action, { method: 'POST', body }, (url) => url.startsWith(app))
    expect(end.url).toBe(`${app}/`)
    expect((await browser.ask(`${app}/mine`)).status).toBe(401)
    aheadMs = 301_000
    jar().set(session, stolen)
    expect((await browser.ask(`${app}/mine`)).status).toBe(401)
  })

  it('answers 503 when the issuer cannot be asked, and lets sessions go on for a while', async () => {
    const passing = await developmentIssuer({
      clients: [{ id: 'web', secret: 'web-secret', redirectUris: [`${app}/auth/callback`] }],
      users: [{ id: 'alice' }],
      scopes: ['admin', 'root'],
    })
    const other = await start({ issuer: passing.url })
    const visitor = browserOf(other)
    await logIn(visitor)
    await passing.close()
    const status = async (path: string) => (await visitor.ask(`${app}${path}`)).status
    expect(await status('/mine')).toBe(200)
    aheadMs = 301_000
    expect(await status('/mine')).toBe(200)
    aheadMs = 700_000
    expect(await status('/mine')).toBe(503)
    await other.stop()
    const fresh = await start({ issuer: passing.url })
    const { port } = fresh
    expect((await fetch(`http://127.0.0.1:${port}/auth/login`, { redirect: 'manual' })).status).toBe(503)
    await fresh.stop()
  })
})

describe('oidc', () => {
  it('tells the OpenAPI document of its cookie', () => {
    const login = oidc(good)
    const spec = gateway({ authenticate: [login.sessions], routes: [login.pages] })
    const { securitySchemes } = documentInfo(spec, 'shop')
    expect(securitySchemes).toEqual({ session: { type: 'apiKey', in: 'cookie', name: session } })
  })

  const good = { issuer: 'https://login.example.com', clientId: 'web', sessionKey: 'k'.repeat(32) }
  it.each<[Partial<OidcOptions>, RegExp]>([
    [{ issuer: 'http://login.example.com' }, /not https/],
    [{ clientId: '' }, /clientId/],
    [{ sessionKey: 'short' }, /sessionKey/],
    [{ sessionKey: [] }, /sessionKey/],
    [{ origin: 'https://app.example.com/' }, /origin/],
    [{ allowedOrigins: ['*'] }, /origin/],
    [{ loginPath: 'login' }, /loginPath/],
    [{ afterLogoutPath: '//evil.test' }, /afterLogoutPath/],
    [{ cookieName: '__Host-x' }, /cookieName/],
    [{ sessionMaxMs: 0 }, /sessionMaxMs/],
  ])('refuses %o at its definition', (options, message) => {
    expect(() => oidc({ ...good, ...options })).toThrow(message)
  })
})

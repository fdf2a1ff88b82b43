import type { ClaimNames } from '../authentication/claims.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import { checkIssuerUrl } from '../authentication/issuer-url.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RelyingParty } from './relying-party.ts'
import { cookieNames, findSession, sessionCookie } from './session-cookie.ts'
import { toLogin } from './to-login.ts'

/** With whom users sign in, and how long that holds. */
export interface OidcOptions {
  /** Of the discovery document, exactly. */
  readonly issuer: string
  readonly clientId: string
  /** Without it the client is public, and PKCE alone protects the code. */
  readonly clientSecret?: string
  /** How the secret is shown to the issuer; default `basic`. */
  readonly clientAuthentication?: 'basic' | 'post'
  /** Default `openid`. */
  readonly scopes?: readonly string[]
  /** Encrypts the cookies: at least 32 characters of chance. Of several the first encrypts and all decrypt, for a change of key. */
  readonly sessionKey: string | readonly string[]
  /** Where browsers see this gateway: `https://app.example.com`. Default: what the request says. */
  readonly origin?: string
  /** Other origins whose pages may change something with a user's session. Default: none. */
  readonly allowedOrigins?: readonly string[]
  /** Default `/auth/callback`; must be registered at the issuer with the origin before it. */
  readonly redirectPath?: string
  /** Default `/auth/login`; `?returnTo=/path` says where to go afterwards. */
  readonly loginPath?: string
  /** Default `/auth/logout`. */
  readonly logoutPath?: string
  /** Where users are after they signed out; default `/`. */
  readonly afterLogoutPath?: string
  /** Default `trestle-session`; over HTTPS with `__Host-` before it. */
  readonly cookieName?: string
  /** However often it is refreshed; default 28,800,000 (8 hours). */
  readonly sessionMaxMs?: number
  /** Host names on which the pages are, exactly or as `*.example.com`; default: all. */
  readonly hosts?: readonly string[]
  /** Claim of the ID token with the caller's scopes: `roles`. Default: the scopes that the issuer granted. */
  readonly scopesClaim?: string
  /** Claim of the ID token with the caller's tenant. Default: none. */
  readonly tenantClaim?: string
  /** Claim of the ID token with the caller's plan. Default: none. */
  readonly planClaim?: string
  /** Put before the caller's id, so that two issuers cannot mean one caller. Default: nothing. */
  readonly subjectPrefix?: string
  /** For one request to the issuer; default 5,000. */
  readonly timeoutMs?: number
  /** The issuer is on this computer or in a private network, and may speak plain HTTP. Default false. */
  readonly allowPrivateNetworks?: boolean
}

/** A log-in with everything decided. */
export interface LoginSpec extends ClaimNames {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuthentication: 'basic' | 'post'
  readonly scopes: readonly string[]
  readonly sessionKeys: readonly string[]
  readonly origin: string | undefined
  readonly allowedOrigins: readonly string[]
  readonly redirectPath: string
  readonly loginPath: string
  readonly logoutPath: string
  readonly afterLogoutPath: string
  readonly cookieName: string
  readonly sessionMaxMs: number
  readonly timeoutMs: number
  readonly allowPrivateNetworks: boolean
  /** What its pages and its authenticator share in one gateway. */
  readonly open: (context: GatewayContext) => Promise<RelyingParty>
}

/** The pages of a log-in, as data. */
export interface OidcPagesSpec {
  readonly kind: 'oidc-pages'
  readonly login: LoginSpec
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
}

/** The three parts of a log-in. */
export interface OidcLogin {
  /** For `authenticate`: who has a session. */
  readonly sessions: Authenticator
  /** For `routes`: log in, come back, log out. */
  readonly pages: OidcPagesSpec
  /** For `policies`, of the gateway or of a route: a browser that asks for a page without a session is sent to log in. */
  readonly toLogin: Policy
}

/**
 * Signs users in with an OpenID Connect issuer: code flow with PKCE, a session in an encrypted cookie, refresh, logout.
 * The browser gets no token; what is behind the gateway gets the caller. A session lets nobody else's page change
 * anything: for unsafe methods the request must come from the same origin.
 * @throws TypeError for an issuer, a key, a path or a limit that is none
 * @example const login = oidc({ issuer: 'https://login.example.com', clientId: 'web', clientSecret, sessionKey })
 * gateway({ authenticate: [login.sessions], policies: [login.toLogin], routes: [login.pages, expose(orders)] })
 */
export function oidc(options: OidcOptions): OidcLogin {
  const login = checkedLogin(options)
  return {
    sessions: {
      kind: 'authenticator',
      name: `oidc ${login.issuer}`,
      challenge: undefined,
      uses: {},
      carriers: { cookies: cookieNames(login) },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie(login, login.origin ?? 'https://') },
      },
      find: (source) => findSession(login, source.headers),
      open: async (context) => (await import('./open-sessions.ts')).openSessions(await login.open(context), context),
    },
    pages: { kind: 'oidc-pages', login, hosts: options.hosts ?? [], allowInPath: [], policies: [], cost: 0 },
    toLogin: toLogin(login.loginPath),
  }
}

const path = /^\/[A-Za-z0-9._~/-]{0,200}$/
const keyMinLength = 32
const keysMax = 3

function checkedLogin(options: OidcOptions): LoginSpec {
  const { issuer, clientId, sessionKey, origin, allowPrivateNetworks = false, sessionMaxMs = 28_800_000 } = options
  const fail = (what: string) => new TypeError(`oidc(${issuer}): ${what}`)
  checkIssuerUrl(issuer, allowPrivateNetworks, fail)
  if (typeof clientId !== 'string' || clientId === '') throw fail('it needs a clientId')
  const sessionKeys = typeof sessionKey === 'string' ? [sessionKey] : (sessionKey ?? [])
  if (
    sessionKeys.length === 0 ||
    sessionKeys.length > keysMax ||
    sessionKeys.some((key) => key.length < keyMinLength)
  ) {
    throw fail(`sessionKey is one to ${keysMax} keys of at least ${keyMinLength} characters: openssl rand -base64 32`)
  }
  for (const one of [...(origin === undefined ? [] : [origin]), ...(options.allowedOrigins ?? [])]) {
    if (URL.parse(one)?.origin !== one) throw fail(`${JSON.stringify(one)} is no origin like https://app.example.com`)
  }
  const { cookieName = 'trestle-session' } = options
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(cookieName) || /^__(?:host|secure)-/i.test(cookieName)) {
    throw fail('cookieName has letters, digits, hyphen and underscore, and no prefix')
  }
  const paths = {
    redirectPath: options.redirectPath ?? '/auth/callback',
    loginPath: options.loginPath ?? '/auth/login',
    logoutPath: options.logoutPath ?? '/auth/logout',
    afterLogoutPath: options.afterLogoutPath ?? '/',
  }
  for (const [name, value] of Object.entries(paths)) {
    if (!path.test(value) || value.startsWith('//')) throw fail(`${name} is a path like /auth/login, not ${value}`)
  }
  if (!(sessionMaxMs >= 1_000 && sessionMaxMs <= 30 * 86_400_000)) {
    throw fail(`sessionMaxMs is from 1,000 to 2,592,000,000, not ${sessionMaxMs}`)
  }
  const opened = new WeakMap<GatewayContext, Promise<RelyingParty>>()
  const login: LoginSpec = {
    ...paths,
    issuer,
    clientId,
    clientSecret: options.clientSecret,
    clientAuthentication: options.clientAuthentication ?? 'basic',
    scopes: [...new Set(['openid', ...(options.scopes ?? [])])],
    sessionKeys,
    origin,
    allowedOrigins: options.allowedOrigins ?? [],
    cookieName,
    sessionMaxMs,
    timeoutMs: options.timeoutMs ?? 5_000,
    allowPrivateNetworks,
    scopesClaim: options.scopesClaim,
    tenantClaim: options.tenantClaim,
    planClaim: options.planClaim,
    subjectPrefix: options.subjectPrefix,
    open(context) {
      const found = opened.get(context) ?? open(context)
      opened.set(context, found)
      return found
    },
  }
  const open = async (context: GatewayContext) => (await import('./relying-party.ts')).openRelyingParty(login, context)
  return login
}

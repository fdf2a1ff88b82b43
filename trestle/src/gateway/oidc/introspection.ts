import type { Authenticator } from '../authentication/authenticator.ts'
import type { ClaimNames } from '../authentication/claims.ts'
import { checkIssuerUrl } from '../authentication/issuer-url.ts'

/** Whom the gateway asks about tokens that say nothing by themselves. */
export interface IntrospectionOptions {
  /** Its discovery document says where to ask. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** How the secret is shown; default `basic`. */
  readonly clientAuthentication?: 'basic' | 'post'
  /** `aud` must contain it. Default: not looked at. */
  readonly audience?: string
  /** How long an answer is used again, at most until the token expires: so long a revoked token goes on. Default 5,000; 0: never. */
  readonly cacheMs?: number
  /** Answers that one gateway process remembers; default 10,000. */
  readonly cacheMax?: number
  /** Member of the answer with the caller's id; default `sub`. */
  readonly subjectClaim?: string
  /** Put before the caller's id. Default: nothing. */
  readonly subjectPrefix?: string
  /** Member with the scopes; default `scope`. */
  readonly scopesClaim?: string
  /** Member with the tenant. Default: none. */
  readonly tenantClaim?: string
  /** Member with the plan. Default: none. */
  readonly planClaim?: string
  /** Default `introspection` with the issuer. */
  readonly name?: string
  /** Said in `WWW-Authenticate`; default `trestle`. */
  readonly realm?: string
  /** For one request to the issuer; default 3,000. */
  readonly timeoutMs?: number
  /** Upstreams get the token too, in `Authorization`. Default false. */
  readonly forward?: boolean
  /** The issuer is on this computer or in a private network, and may speak plain HTTP. Default false. */
  readonly allowPrivateNetworks?: boolean
}

/** The same with everything decided. */
export interface IntrospectionSpec extends ClaimNames {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly clientAuthentication: 'basic' | 'post'
  readonly audience: string | undefined
  readonly cacheMs: number
  readonly cacheMax: number
  readonly timeoutMs: number
  readonly allowPrivateNetworks: boolean
}

/** Begins our own API keys: no issuer knows them. */
const ownKeys = 'trs_'

/**
 * Lets in who shows an opaque bearer token that its issuer says is active. It takes every bearer token that no
 * authenticator before it took, so it stands last. When the issuer cannot be asked, requests are 503.
 * Source: RFC 7662.
 * @throws TypeError for an issuer, a client or a limit that is none
 * @example gateway({ authenticate: [introspection({ issuer: 'https://login.example.com', clientId: 'gateway', clientSecret })], routes: [expose(orders)] })
 */
export function introspection(options: IntrospectionOptions): Authenticator {
  const { issuer, name = `introspection ${issuer}`, realm = 'trestle', forward = false } = options
  const spec = checked(options)
  return {
    kind: 'authenticator',
    name,
    challenge: { scheme: 'bearer', realm },
    uses: {},
    carriers: { authorization: !forward },
    find: ({ authorization }) =>
      authorization?.scheme === 'bearer' && !authorization.credential.startsWith(ownKeys)
        ? authorization.credential
        : undefined,
    open: async (context) => (await import('./open-introspection.ts')).openIntrospection(spec, context),
  }
}

function checked(options: IntrospectionOptions): IntrospectionSpec {
  const { issuer, clientId, clientSecret, realm = 'trestle', allowPrivateNetworks = false } = options
  const { cacheMs = 5_000, cacheMax = 10_000, timeoutMs = 3_000 } = options
  const fail = (what: string) => new TypeError(`introspection(${issuer}): ${what}`)
  checkIssuerUrl(issuer, allowPrivateNetworks, fail)
  if (clientId === '' || clientSecret === '') throw fail('it needs a clientId and a clientSecret')
  if (!/^[A-Za-z0-9 ._-]{1,80}$/.test(realm)) {
    throw fail('a realm has letters, digits, space, dot, hyphen and underscore')
  }
  if (!(cacheMs >= 0 && cacheMs <= 3_600_000)) throw fail(`cacheMs is from 0 to 3,600,000, not ${cacheMs}`)
  if (!Number.isInteger(cacheMax) || cacheMax < 1 || cacheMax > 1_000_000) {
    throw fail(`cacheMax is a whole number from 1 to 1,000,000, not ${cacheMax}`)
  }
  if (!(timeoutMs >= 1 && timeoutMs <= 60_000)) throw fail('timeoutMs is from 1 to 60,000')
  return {
    issuer,
    clientId,
    clientSecret,
    clientAuthentication: options.clientAuthentication ?? 'basic',
    audience: options.audience,
    cacheMs,
    cacheMax,
    timeoutMs,
    allowPrivateNetworks,
    subjectClaim: options.subjectClaim,
    subjectPrefix: options.subjectPrefix,
    scopesClaim: options.scopesClaim,
    tenantClaim: options.tenantClaim,
    planClaim: options.planClaim,
  }
}

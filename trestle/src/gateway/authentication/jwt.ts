import type { Authenticator, CredentialSource } from './authenticator.ts'
import { checkIssuerUrl } from './issuer-url.ts'
import { issuerOf } from './unverified-token.ts'

/** Signatures that can be checked with a public key. `EdDSA` and `Ed25519` are two names of one. */
export type JwtAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

/** A set of public keys. Source: RFC 7517. */
export interface PublicKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** Whose tokens are believed, and what is read from them. */
export interface JwtOptions {
  /** `iss` of the tokens, exactly. */
  readonly issuer: string
  /** `aud` must contain one of these: the name under which the issuer knows this API. */
  readonly audience: string | readonly string[]
  /** Default `RS256`, `PS256`, `ES256`, `EdDSA`, `Ed25519`. */
  readonly algorithms?: readonly JwtAlgorithm[]
  /** Where the issuer's keys are, or the keys themselves; default: where the issuer's discovery document says. */
  readonly jwks?: string | PublicKeySet
  /** For `exp` and `nbf`; default 5,000, at most 300,000. */
  readonly clockToleranceMs?: number
  /** Claim with the caller's id; default `sub`. */
  readonly subjectClaim?: string
  /** Put before the caller's id, so that two issuers cannot mean one caller: `partner:`. Default: nothing. */
  readonly subjectPrefix?: string
  /** Claim with the scopes, as a list or a text with spaces; a path like `realm_access.roles`. Default `scope`, else `scp`. */
  readonly scopesClaim?: string
  /** Claim with the caller's tenant. Default: none. */
  readonly tenantClaim?: string
  /** Claim with the caller's plan. Default: none. */
  readonly planClaim?: string
  /** Claims, besides `exp`, without which a token is refused. */
  readonly requiredClaims?: readonly string[]
  /** `typ` of the tokens: `at+jwt`. Default: `JWT`, `at+jwt` or none. */
  readonly typ?: string
  /** Default `jwt` with the issuer. */
  readonly name?: string
  /** Said in `WWW-Authenticate`; default `trestle`. */
  readonly realm?: string
  /** Upstreams get the token too, in `Authorization`: for those that verify it themselves. Default false. */
  readonly forward?: boolean
  /** The issuer is on this computer or in a private network, and may speak plain HTTP. Default false. */
  readonly allowPrivateNetworks?: boolean
  /** Tokens that one gateway process remembers as verified; default 10,000, about 10 MB. */
  readonly cacheMax?: number
  /** Keys are fetched again after this; default 600,000. */
  readonly keysRefreshMs?: number
  /** Between two fetches, for an unknown key or after a failure; default 30,000. */
  readonly keysCoolDownMs?: number
  /** How long keys are used on while the issuer cannot be asked; default 86,400,000. */
  readonly keysKeptMs?: number
  /** For one fetch; default 5,000. */
  readonly keysTimeoutMs?: number
}

const asymmetric = /^(?:[RP]S(?:256|384|512)|ES(?:256|384|512)|EdDSA|Ed25519)$/

/**
 * Lets in who shows a JSON Web Token of an issuer, for this API, signed with one of its public keys and not expired. The
 * caller is of kind `user`, with the token's subject and scopes. Several issuers stand side by side: each takes the
 * tokens that name it. An expired token is 401 `token_expired`; when there are no keys because the issuer cannot be
 * asked, 503.
 * @throws TypeError for an issuer, an audience, an algorithm or a limit that is none
 * @example jwt({ issuer: 'https://login.example.com', audience: 'https://api.example.com' })
 */
export function jwt(options: JwtOptions): Authenticator {
  const { issuer, name = `jwt ${issuer}`, realm = 'trestle', forward = false } = options
  check(options)
  return {
    kind: 'authenticator',
    name,
    challenge: { scheme: 'bearer', realm },
    uses: {},
    carriers: { authorization: !forward },
    find: ({ authorization }: CredentialSource) =>
      authorization?.scheme === 'bearer' && issuerOf(authorization.credential) === issuer
        ? authorization.credential
        : undefined,
    open: async (context) => (await import('./open-jwt.ts')).openJwt(options, context),
  }
}

function check(options: JwtOptions): void {
  const { issuer, audience, algorithms, jwks, realm, allowPrivateNetworks = false } = options
  const fail = (what: string) => new TypeError(`jwt(${issuer}): ${what}`)
  if (typeof issuer !== 'string' || issuer === '') throw fail('it needs an issuer, like https://login.example.com')
  const audiences = typeof audience === 'string' ? [audience] : audience
  if (!Array.isArray(audiences) || audiences.length === 0 || audiences.some((one) => one === '')) {
    throw fail('it needs an audience: the name under which the issuer knows this API')
  }
  const odd = algorithms?.find((one) => !asymmetric.test(one))
  if (odd !== undefined) throw fail(`${odd} is no signature that a public key can check`)
  if (algorithms?.length === 0) throw fail('algorithms is empty; leave it out for the default')
  if (typeof jwks === 'string') checkIssuerUrl(jwks, allowPrivateNetworks, fail)
  else if (jwks === undefined) checkIssuerUrl(issuer, allowPrivateNetworks, fail)
  if (realm !== undefined && !/^[A-Za-z0-9 ._-]{1,80}$/.test(realm)) {
    throw fail('a realm has letters, digits, space, dot, hyphen and underscore')
  }
  within(options, 'clockToleranceMs', 0, 300_000, fail)
  within(options, 'cacheMax', 1, 1_000_000, fail)
  within(options, 'keysRefreshMs', 1_000, 86_400_000, fail)
  within(options, 'keysCoolDownMs', 1_000, 3_600_000, fail)
  within(options, 'keysKeptMs', 1_000, 30 * 86_400_000, fail)
  within(options, 'keysTimeoutMs', 1, 60_000, fail)
}

type Limit = 'clockToleranceMs' | 'cacheMax' | 'keysRefreshMs' | 'keysCoolDownMs' | 'keysKeptMs' | 'keysTimeoutMs'

function within(options: JwtOptions, name: Limit, least: number, most: number, fail: (what: string) => TypeError) {
  const value = options[name]
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  throw fail(`${name} is a whole number from ${least} to ${most}, not ${value}`)
}

import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type LocalJWKSet,
} from 'jose'
import type { GatewayContext } from '../gateway-context.ts'
import { refused } from '../reply/problem-response.ts'
import type { Authenticate, OutsideCaller } from './authenticator.ts'
import { callerOf } from './claims.ts'
import { discoverKeys, fetchDocument, issuerHttp } from './issuer-http.ts'
import type { JwtOptions, PublicKeySet } from './jwt.ts'
import { KeySource } from './key-source.ts'
import { VerifiedTokens } from './verified-tokens.ts'

const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
/** Where a token may bring or name its own key: whoever signs so wants to be believed for it. Source: RFC 8725 section 3.10. */
const ownKeys = ['jku', 'jwk', 'x5u'] as const

/** Keys that are tried with a token that names none. */
const guessesMax = 8

interface Claims extends JWTPayload {
  readonly exp: number
}

/** Opens an issuer: keys and verified tokens are this gateway's own, and new with each configuration. */
export async function openJwt(options: JwtOptions, context: GatewayContext): Promise<Authenticate> {
  const { clock } = context
  const verified = new VerifiedTokens<OutsideCaller>(options.cacheMax ?? 10_000)
  let keys: LocalJWKSet | undefined
  const onChange = (found: PublicKeySet) => {
    keys = keySetOf(found)
    verified.clear()
  }
  const source = await keySource(options, context, onChange)
  const verify = verifier(options, context, () => keys)

  const claimsOf = async (token: string): Promise<Claims> => {
    await source?.ensure()
    try {
      return await verify(token)
    } catch (error) {
      if (!isUnknownKey(error) || (await source?.renew()) !== true) throw error
      return await verify(token)
    }
  }

  const authenticate = async (token: string, key: string): Promise<OutsideCaller | undefined> => {
    const { generation } = verified
    let claims: Claims
    try {
      claims = await claimsOf(token)
    } catch (error) {
      throw refusal(error)
    }
    const caller = callerOf(claims, options)
    // Keys that came while this was verified are those by which it was, or it is verified again the next time.
    if (caller !== undefined) verified.set(key, caller, claims.exp * 1_000, generation)
    return caller
  }

  return ({ credential }) => {
    const key = VerifiedTokens.keyOf(credential)
    if (source === undefined || source.usable()) {
      const caller = verified.get(key, clock.now())
      if (caller !== undefined) return caller
    }
    return authenticate(credential, key)
  }
}

async function keySource(
  { issuer, jwks, allowPrivateNetworks, ...options }: JwtOptions,
  context: GatewayContext,
  onChange: (keys: PublicKeySet) => void,
): Promise<KeySource | undefined> {
  if (typeof jwks === 'object') {
    onChange(jwks)
    return undefined
  }
  const http = await issuerHttp({ allowPrivateNetworks, timeoutMs: options.keysTimeoutMs }, context)
  return new KeySource({
    load: async () => {
      const url = jwks ?? (await discoverKeys(http, issuer))
      return (await fetchDocument(http, url)) as unknown as PublicKeySet
    },
    clock: context.clock,
    log: context.log,
    issuer,
    refreshMs: options.keysRefreshMs ?? 600_000,
    coolDownMs: options.keysCoolDownMs ?? 30_000,
    keptMs: options.keysKeptMs ?? 86_400_000,
    onChange,
  })
}

/** Only public keys: a secret in the set would let everybody who can read it sign. */
function keySetOf({ keys }: PublicKeySet): LocalJWKSet {
  const usable = keys.filter((key) => typeof key === 'object' && key !== null && key['kty'] !== 'oct' && !('d' in key))
  return createLocalJWKSet({ keys: usable } as unknown as JSONWebKeySet)
}

/** Everything that a token must be, in one function. @throws errors of jose */
function verifier(
  options: JwtOptions,
  { clock }: GatewayContext,
  keys: () => LocalJWKSet | undefined,
): (token: string) => Promise<Claims> {
  const { typ } = options
  const checks = {
    issuer: options.issuer,
    audience: typeof options.audience === 'string' ? options.audience : [...options.audience],
    algorithms: [...(options.algorithms ?? defaultAlgorithms)],
    clockTolerance: (options.clockToleranceMs ?? 5_000) / 1_000,
    requiredClaims: ['exp', ...(options.requiredClaims ?? [])],
    ...(typ === undefined ? {} : { typ }),
  }
  const verifyBy = async (token: string, resolve: JWTVerifyGetKey): Promise<Claims> => {
    const now = { currentDate: new Date(clock.now()) }
    const { payload, protectedHeader } = await jwtVerify(token, resolve, { ...checks, ...now })
    if (typ === undefined && !isAccessToken(protectedHeader.typ)) {
      throw new errors.JWTInvalid(`A token of the type ${protectedHeader.typ} is no access token`)
    }
    // Among the required claims, and held to be a number.
    return payload as Claims
  }
  const resolve: JWTVerifyGetKey = async (header, input) => {
    const own = ownKeys.find((name) => header[name] !== undefined)
    if (own !== undefined) throw new errors.JWSInvalid(`The token brings its own key (${own})`)
    const found = keys()
    if (found === undefined) throw new errors.JWKSNoMatchingKey()
    return await found(header, input)
  }
  return async (token) => {
    try {
      return await verifyBy(token, resolve)
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      return await verifyByOneOf(error, (key) => verifyBy(token, () => key))
    }
  }
}

/** The token does not say which key signed it, and several could have. */
async function verifyByOneOf(
  keys: AsyncIterable<CryptoKey>,
  verifyBy: (key: CryptoKey) => Promise<Claims>,
): Promise<Claims> {
  let tried = 0
  for await (const key of keys) {
    try {
      return await verifyBy(key)
    } catch (error) {
      tried += 1
      if (!(error instanceof errors.JWSSignatureVerificationFailed) || tried >= guessesMax) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}

/** Tokens for other purposes name theirs. Source: RFC 8725 section 3.11, RFC 9068 section 2.1. */
function isAccessToken(typ: string | undefined): boolean {
  return typ === undefined || /^(?:application\/)?(?:jwt|at\+jwt)$/i.test(typ)
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey
}

/** What jose found wrong with a token, as the reply that it gets; whatever else failed stays as it is. */
function refusal(error: unknown): unknown {
  if (!(error instanceof errors.JOSEError)) return error
  if (error instanceof errors.JWTExpired) return refused('token_expired')
  return refused('unauthenticated', { detail: detailOf(error) })
}

function detailOf(error: InstanceType<typeof errors.JOSEError>): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.reason === 'missing'
      ? `The token has no ${error.claim}`
      : `The token's ${error.claim} is not accepted here`
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer has no such key'
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is not valid"
  return 'The token is not valid'
}

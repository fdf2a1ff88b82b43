import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  type Configuration,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client'
import type { OutsideCaller } from '../authentication/authenticator.ts'
import { callerOf, scopesOf } from '../authentication/claims.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { issuerConfiguration } from './issuer-configuration.ts'
import { reasonOf } from './issuer-failure.ts'
import type { LoginSpec } from './oidc.ts'
import { createSeal, type Seal } from './seal.ts'
import type { LoginAttempt, Session } from './session.ts'

/** A log-in that runs: what its pages and its authenticator ask the issuer, and the seals of their cookies. */
export interface RelyingParty {
  readonly login: LoginSpec
  readonly sessions: Seal<Session>
  readonly attempts: Seal<LoginAttempt>
  /** Where the browser goes to sign in, and what must be remembered until it comes back. */
  begin(origin: string, returnTo: string): Promise<{ readonly url: string; readonly attempt: LoginAttempt }>
  /** @param query what the browser brought back @throws errors of openid-client */
  finish(attempt: LoginAttempt, query: string): Promise<Session>
  /** @throws errors of openid-client */
  refresh(session: Session): Promise<Session>
  /** Where the browser goes to sign out at the issuer, when it has such a page. */
  end(session: Session | undefined, afterwards: string): Promise<string | undefined>
}

type Tokens = Awaited<ReturnType<typeof refreshTokenGrant>>

const attemptMs = 600_000
/** Of an access token that does not say it. */
const defaultFreshMs = 300_000

export async function openRelyingParty(login: LoginSpec, context: GatewayContext): Promise<RelyingParty> {
  const { clock, log } = context
  const configuration = await issuerConfiguration(login, context)
  const owner = JSON.stringify([login.issuer, login.clientId])

  const freshOf = (tokens: Tokens, refreshToken: string | undefined) =>
    refreshToken === undefined ? undefined : clock.now() + (tokens.expiresIn() ?? defaultFreshMs / 1_000) * 1_000

  return {
    login,
    sessions: createSeal(login.sessionKeys, `session ${owner}`),
    attempts: createSeal(login.sessionKeys, `login ${owner}`),
    async begin(origin, returnTo) {
      const config = await configuration()
      const verifier = randomPKCECodeVerifier()
      const redirectUri = `${origin}${login.redirectPath}`
      const [state, nonce] = [randomState(), randomNonce()]
      const url = buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: login.scopes.join(' '),
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      const untilMs = clock.now() + attemptMs
      return { url: url.href, attempt: { state, nonce, verifier, redirectUri, returnTo, untilMs } }
    },
    async finish({ redirectUri, state, nonce, verifier }, query) {
      const tokens = await authorizationCodeGrant(await configuration(), new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims: Readonly<Record<string, unknown>> = tokens.claims() ?? {}
      const caller = callerFrom(login, tokens, claims, login.scopes)
      return {
        caller,
        subject: String(claims['sub']),
        untilMs: clock.now() + login.sessionMaxMs,
        freshUntilMs: freshOf(tokens, tokens.refresh_token),
        refreshToken: tokens.refresh_token,
      }
    },
    async refresh(session) {
      const tokens = await refreshTokenGrant(await configuration(), session.refreshToken ?? '')
      const claims = tokens.claims()
      if (claims !== undefined && claims.sub !== session.subject) throw new Error('The issuer refreshed somebody else')
      const refreshToken = tokens.refresh_token ?? session.refreshToken
      const caller = claims === undefined ? session.caller : callerFrom(login, tokens, claims, session.caller.scopes)
      return { ...session, caller, refreshToken, freshUntilMs: freshOf(tokens, refreshToken) }
    },
    async end(session, afterwards) {
      const config = await configuration()
      await revoke(config, session).catch((error: unknown) => {
        log.warn({ reason: reasonOf(error), issuer: login.issuer }, 'a refresh token could not be revoked')
      })
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined
      return buildEndSessionUrl(config, { post_logout_redirect_uri: afterwards }).href
    },
  }
}

/** From the ID token; its scopes, unless a claim says them, are those that were granted. Source: RFC 6749 section 5.1. */
function callerFrom(
  login: LoginSpec,
  tokens: Tokens,
  claims: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
): OutsideCaller {
  const caller = callerOf(claims, login)
  if (caller === undefined) throw new Error('The ID token names nobody')
  if (login.scopesClaim !== undefined) return caller
  return { ...caller, scopes: tokens.scope === undefined ? scopes : scopesOf({ scope: tokens.scope }, undefined) }
}

async function revoke(config: Configuration, session: Session | undefined): Promise<void> {
  if (session?.refreshToken === undefined || config.serverMetadata().revocation_endpoint === undefined) return
  await tokenRevocation(config, session.refreshToken)
}

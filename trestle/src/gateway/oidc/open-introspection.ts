import { type IntrospectionResponse, tokenIntrospection } from 'openid-client'
import type { Authenticate, OutsideCaller } from '../authentication/authenticator.ts'
import { callerOf } from '../authentication/claims.ts'
import { IssuerUnavailable } from '../authentication/issuer-http.ts'
import { VerifiedTokens } from '../authentication/verified-tokens.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { IntrospectionSpec } from './introspection.ts'
import { issuerConfiguration } from './issuer-configuration.ts'

/** Opens introspection: whatever the issuer does not call active is nobody; no answer is no answer. */
export async function openIntrospection(spec: IntrospectionSpec, context: GatewayContext): Promise<Authenticate> {
  const { clock } = context
  const configuration = await issuerConfiguration(spec, context)
  const verified = new VerifiedTokens<OutsideCaller>(spec.cacheMax)

  const ask = async (token: string, key: string): Promise<OutsideCaller | undefined> => {
    const answer = await introspected(async () => tokenIntrospection(await configuration(), token))
    const expiresMs = answer.exp === undefined ? Number.POSITIVE_INFINITY : answer.exp * 1_000
    if (!answer.active || expiresMs <= clock.now() || !isFor(answer, spec.audience)) return undefined
    const caller = callerOf(answer, spec)
    if (caller === undefined) return undefined
    if (spec.cacheMs > 0) {
      verified.set(key, caller, Math.min(expiresMs, clock.now() + spec.cacheMs), verified.generation)
    }
    return caller
  }

  return ({ credential }) => {
    const key = VerifiedTokens.keyOf(credential)
    return verified.get(key, clock.now()) ?? ask(credential, key)
  }
}

/** Also an issuer that refuses us says nothing about the token. */
async function introspected(ask: () => Promise<IntrospectionResponse>): Promise<IntrospectionResponse> {
  try {
    return await ask()
  } catch (error) {
    throw error instanceof IssuerUnavailable
      ? error
      : new IssuerUnavailable('The issuer does not answer about the token', { cause: error })
  }
}

function isFor({ aud }: IntrospectionResponse, audience: string | undefined): boolean {
  return audience === undefined || aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

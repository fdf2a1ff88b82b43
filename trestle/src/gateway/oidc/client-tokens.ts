import { clientCredentialsGrant } from 'openid-client'
import type { GatewayContext } from '../gateway-context.ts'
import { refused } from '../reply/problem-response.ts'
import type { ClientCredentialsSpec } from './client-credentials.ts'
import { issuerConfiguration } from './issuer-configuration.ts'
import { isIssuerUnavailable, reasonOf } from './issuer-failure.ts'

/** The token of the gateway itself at one issuer. */
export interface ClientTokens {
  /** @throws Refused 502 when the issuer refuses, 503 when it cannot be asked */
  token(): Promise<string>
  /** An upstream did not accept it. */
  doubt(token: string): void
}

interface Token {
  readonly text: string
  readonly takenMs: number
  readonly renewAtMs: number
  readonly expiresMs: number
}

/** After a failure nobody asks again for so long; and a young token is not given up for one upstream's 401. */
const coolDownMs = 1_000
const youngMs = 10_000
/** Of a token that does not say it. */
const defaultLifeMs = 60_000

export async function openClientTokens(spec: ClientCredentialsSpec, context: GatewayContext): Promise<ClientTokens> {
  const { clock, log } = context
  const configuration = await issuerConfiguration(spec, context)
  const { scopes, resource, audience } = spec
  const parameters = {
    ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
    ...(resource === undefined ? {} : { resource }),
    ...(audience === undefined ? {} : { audience }),
  }
  let token: Token | undefined
  let asking: Promise<Token> | undefined
  let failure: { readonly error: unknown; readonly atMs: number } | undefined

  const ask = async (): Promise<Token> => {
    try {
      const takenMs = clock.monotonic()
      const { access_token: text, expires_in: seconds } = await clientCredentialsGrant(
        await configuration(),
        parameters,
      )
      const lifeMs = seconds === undefined ? defaultLifeMs : seconds * 1_000
      const renewAtMs = takenMs + Math.max(lifeMs / 2, lifeMs - spec.refreshBeforeMs)
      token = { text, takenMs, renewAtMs, expiresMs: takenMs + lifeMs }
      return token
    } catch (error) {
      log.warn(
        { reason: reasonOf(error), issuer: spec.issuer, clientId: spec.clientId },
        'the gateway got no token of its own',
      )
      failure = { error: problemOf(error), atMs: clock.monotonic() }
      throw failure.error
    } finally {
      asking = undefined
    }
  }
  const askOnce = (): Promise<Token> => {
    if (asking === undefined && failure !== undefined && clock.monotonic() < failure.atMs + coolDownMs) {
      return Promise.reject(failure.error as Error)
    }
    return (asking ??= ask())
  }

  return {
    async token() {
      const nowMs = clock.monotonic()
      if (token === undefined || nowMs >= token.expiresMs) return (await askOnce()).text
      // Whoever comes now has a good one: the next is asked for beside them.
      if (nowMs >= token.renewAtMs) askOnce().catch(() => undefined)
      return token.text
    },
    doubt(text) {
      if (token?.text === text && clock.monotonic() >= token.takenMs + youngMs) token = undefined
    },
  }
}

function problemOf(error: unknown) {
  if (isIssuerUnavailable(error)) {
    return refused('unavailable', { detail: 'The gateway gets no token for the upstream at the moment' })
  }
  return refused('bad_gateway', { detail: 'The gateway gets no token for the upstream: its issuer refuses' })
}

import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
} from 'openid-client'
import { issuerHttp, IssuerUnavailable } from '../authentication/issuer-http.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { reasonOf } from './issuer-failure.ts'
import { issuerFetch } from './issuer-fetch.ts'

/** Us, as a client of an issuer. */
export interface IssuerClient {
  readonly issuer: string
  /** Instead of discovery: where tokens are given. */
  readonly tokenUrl?: string | undefined
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuthentication: 'basic' | 'post'
  readonly timeoutMs: number
  readonly allowPrivateNetworks: boolean
}

/** After a failure nobody asks again for so long. */
const coolDownMs = 2_000

/**
 * Gives the issuer's configuration: discovered at the first use and then kept, one discovery at a time.
 * @throws IssuerUnavailable from what it gives
 */
export async function issuerConfiguration(
  client: IssuerClient,
  context: GatewayContext,
): Promise<() => Promise<Configuration>> {
  const { clock, log } = context
  const fetchIssuer = issuerFetch(await issuerHttp(client, context))
  const methods = client.allowPrivateNetworks ? [allowInsecureRequests] : []
  const open = async (): Promise<Configuration> => {
    const { issuer, tokenUrl, clientId, timeoutMs } = client
    if (tokenUrl !== undefined) {
      const made = new Configuration({ issuer, token_endpoint: tokenUrl }, clientId, undefined, authentication(client))
      made[customFetch] = fetchIssuer
      made.timeout = timeoutMs / 1_000
      for (const method of methods) method(made)
      return made
    }
    return await discovery(new URL(issuer), clientId, undefined, authentication(client), {
      [customFetch]: fetchIssuer,
      timeout: timeoutMs / 1_000,
      execute: [...methods, enableNonRepudiationChecks],
    })
  }
  let found: Promise<Configuration> | undefined
  let triedMs = Number.NEGATIVE_INFINITY
  return () => {
    if (found !== undefined) return found
    if (clock.monotonic() < triedMs + coolDownMs) return Promise.reject(unavailable(client))
    triedMs = clock.monotonic()
    found = open().catch((error: unknown) => {
      found = undefined
      log.warn({ reason: reasonOf(error), issuer: client.issuer }, 'the issuer could not be asked')
      throw unavailable(client, error)
    })
    return found
  }
}

function unavailable({ issuer }: IssuerClient, cause?: unknown): IssuerUnavailable {
  return new IssuerUnavailable(`${issuer} cannot be asked at the moment`, { cause })
}

function authentication({ clientSecret, clientAuthentication }: IssuerClient): ClientAuth {
  if (clientSecret === undefined) return None()
  return clientAuthentication === 'basic' ? ClientSecretBasic(clientSecret) : ClientSecretPost(clientSecret)
}

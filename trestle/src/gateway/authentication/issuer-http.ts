import type { GuardedHttp } from '../../http/guarded-http.ts'
import type { GatewayContext } from '../gateway-context.ts'

/** The answer of an issuer is not known: for the client a 503. */
export class IssuerUnavailable extends Error {
  readonly code = 'dependency_unavailable'
}

export interface IssuerHttpOptions {
  readonly allowPrivateNetworks?: boolean | undefined
  readonly timeoutMs?: number | undefined
}

const documentMaxBytes = 262_144

/** What issuers are asked with; closed with the gateway. */
export async function issuerHttp(
  { allowPrivateNetworks = false, timeoutMs = 5_000 }: IssuerHttpOptions,
  context: Pick<GatewayContext, 'defer'>,
): Promise<GuardedHttp> {
  const { guardedHttp } = await import('../../http/guarded-http.ts')
  const http = guardedHttp({ allowPrivateNetworks, timeoutMs, bodyMaxBytes: documentMaxBytes })
  context.defer(() => http.close())
  return http
}

/** A JSON object from an issuer. @throws IssuerUnavailable when it gives none */
export async function fetchDocument(http: GuardedHttp, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { status, body } = await http.request({ url, headers: [['Accept', 'application/json']] })
    if (status !== 200) throw new Error(`${url} answered ${status}`)
    const document: unknown = JSON.parse(Buffer.from(body).toString())
    if (typeof document !== 'object' || document === null) throw new Error(`${url} answered no JSON object`)
    return document as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new IssuerUnavailable(cause instanceof Error ? cause.message : 'The issuer cannot be asked', { cause })
  }
}

/**
 * Where an issuer says that its keys are. Source: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.
 * @throws IssuerUnavailable
 */
export async function discoverKeys(http: GuardedHttp, issuer: string): Promise<string> {
  const found = await discover(http, issuer)
  if (found['issuer'] !== issuer) {
    throw new IssuerUnavailable(`The discovery document of ${issuer} is that of ${JSON.stringify(found['issuer'])}`)
  }
  const { jwks_uri: keys } = found
  if (typeof keys !== 'string') throw new IssuerUnavailable(`The discovery document of ${issuer} names no jwks_uri`)
  return keys
}

async function discover(http: GuardedHttp, issuer: string): Promise<Readonly<Record<string, unknown>>> {
  const url = new URL(issuer)
  const path = url.pathname.replace(/\/$/, '')
  try {
    return await fetchDocument(http, `${url.origin}${path}/.well-known/openid-configuration`)
  } catch (error) {
    return await fetchDocument(http, `${url.origin}/.well-known/oauth-authorization-server${path}`).catch(() => {
      throw error
    })
  }
}

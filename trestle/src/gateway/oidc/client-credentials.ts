import { checkIssuerUrl } from '../authentication/issuer-url.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Policy } from '../policy/policy.ts'
import type { ClientTokens } from './client-tokens.ts'

/** Who the gateway is at an issuer, and what it asks for. */
export interface ClientCredentialsOptions {
  /** Whose discovery document says where tokens are given. This, or `tokenUrl`. */
  readonly issuer?: string
  /** Where tokens are given. */
  readonly tokenUrl?: string
  readonly clientId: string
  readonly clientSecret: string
  /** How the secret is shown; default `basic`. */
  readonly clientAuthentication?: 'basic' | 'post'
  /** Default: what the issuer gives unasked. */
  readonly scopes?: readonly string[]
  /** For which API the token is: sent as `resource`. Source: RFC 8707. */
  readonly resource?: string
  /** The same for issuers that call it `audience`. */
  readonly audience?: string
  /** How long before it expires a token is replaced, without anybody waiting; default 30,000. */
  readonly refreshBeforeMs?: number
  /** For one request to the issuer; default 5,000. */
  readonly timeoutMs?: number
  /** The issuer is on this computer or in a private network, and may speak plain HTTP. Default false. */
  readonly allowPrivateNetworks?: boolean
}

/** The same with everything decided. */
export interface ClientCredentialsSpec extends ClientCredentialsOptions {
  readonly issuer: string
  readonly clientAuthentication: 'basic' | 'post'
  readonly refreshBeforeMs: number
  readonly timeoutMs: number
  readonly allowPrivateNetworks: boolean
}

/**
 * Shows upstreams a token of the gateway's own in place of whatever `Authorization` the client sent. The token is asked
 * for once for all requests, kept until shortly before it expires, and asked for again when an upstream says 401 to it.
 * When the issuer refuses, requests are 502; when it cannot be asked, 503.
 * @throws TypeError for an address or a name that is none
 * @example upstream('/ledger/*', ['https://ledger.example.com'], { policies: [clientCredentials({ issuer, clientId: 'gateway', clientSecret })] })
 */
export function clientCredentials(options: ClientCredentialsOptions): Policy {
  const spec = checked(options)
  const opened = new WeakMap<GatewayContext, Promise<ClientTokens>>()
  const open = async (context: GatewayContext) => (await import('./client-tokens.ts')).openClientTokens(spec, context)
  return {
    kind: 'policy',
    name: 'client-credentials',
    stage: 'resilience',
    async open({ target }, context) {
      if (target !== 'upstream') return undefined
      const found = opened.get(context) ?? open(context)
      opened.set(context, found)
      const { authorized } = await import('./authorized.ts')
      return authorized(await found)
    },
  }
}

function checked(options: ClientCredentialsOptions): ClientCredentialsSpec {
  const { issuer, tokenUrl, clientId, allowPrivateNetworks = false } = options
  const fail = (what: string) => new TypeError(`clientCredentials(${clientId}): ${what}`)
  if ((issuer === undefined) === (tokenUrl === undefined)) throw fail('it needs an issuer or a tokenUrl, not both')
  checkIssuerUrl(issuer ?? tokenUrl ?? '', allowPrivateNetworks, fail)
  if (clientId === '' || options.clientSecret === '') throw fail('it needs a clientId and a clientSecret')
  const { refreshBeforeMs = 30_000, timeoutMs = 5_000 } = options
  if (!(refreshBeforeMs >= 0 && refreshBeforeMs <= 3_600_000)) throw fail('refreshBeforeMs is from 0 to 3,600,000')
  if (!(timeoutMs >= 1 && timeoutMs <= 60_000)) throw fail('timeoutMs is from 1 to 60,000')
  return {
    ...options,
    issuer: issuer ?? new URL(tokenUrl ?? '').origin,
    clientAuthentication: options.clientAuthentication ?? 'basic',
    refreshBeforeMs,
    timeoutMs,
    allowPrivateNetworks,
  }
}

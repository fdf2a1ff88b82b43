import { randomBytes } from 'node:crypto'
import { serveCallback } from '../../http/serve-callback.ts'
import { htmlPage, loginPage } from './login-page.ts'
import { memoryAdapter } from './memory-adapter.ts'
import type { Provider, ProviderContext, ProviderModule } from './oidc-provider-types.ts'

/** An application that users sign in to, or a program that asks in its own name. */
export interface DevelopmentClient {
  readonly id: string
  /** Without it the client is public, and PKCE alone protects it. */
  readonly secret?: string
  /** Where users come back to: `http://127.0.0.1:4000/auth/callback`. None: it signs nobody in. */
  readonly redirectUris?: readonly string[]
  /** Where users come back to after they signed out. */
  readonly logoutUris?: readonly string[]
}

/** Somebody who can sign in by pressing a button. */
export interface DevelopmentUser {
  readonly id: string
  /** Said in the user's ID tokens and access tokens: `{ tenant: 'acme', plan: 'free' }`. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Who can sign in where, and what the tokens say. */
export interface DevelopmentIssuerOptions {
  readonly clients: readonly DevelopmentClient[]
  readonly users?: readonly DevelopmentUser[]
  /** Scopes that may be asked for, besides OpenID Connect's own. */
  readonly scopes?: readonly string[]
  /** Audience of its access tokens; default `https://api.example.com`. */
  readonly audience?: string
  /** Default: a free one. */
  readonly port?: number
  /** Lifetime of an access token; default 300,000. */
  readonly accessTokenMs?: number
}

/** An issuer that runs. */
export interface DevelopmentIssuer extends AsyncDisposable {
  readonly url: string
  readonly audience: string
  close(): Promise<void>
}

const openIdScopes = ['openid', 'offline_access', 'profile', 'email']
const loginPath = '/interaction/'
const loginMaxBytes = 4_096

/**
 * Starts an OpenID Connect issuer inside this process, on this computer alone, where everybody may sign in as anybody: for
 * development and tests, never for more. It knows the code flow with PKCE, refresh, client credentials, introspection,
 * revocation and logout; its access tokens are JWTs. Needs the package `oidc-provider`.
 * @throws Error when `oidc-provider` is not installed
 * @example await using issuer = await developmentIssuer({ clients: [{ id: 'web', redirectUris: ['http://127.0.0.1:4000/auth/callback'] }], users: [{ id: 'alice' }] })
 */
export async function developmentIssuer(options: DevelopmentIssuerOptions): Promise<DevelopmentIssuer> {
  const { audience = 'https://api.example.com' } = options
  const { Provider } = await loadProvider()
  const configuration = await configurationOf({ ...options, audience })
  const server = await serveCallback(options.port ?? 0, (port) => {
    const provider = new Provider(`http://127.0.0.1:${port}`, configuration)
    provider.use((context, next) => login(provider, options.users ?? [], context, next))
    return provider.callback()
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    audience,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

async function loadProvider(): Promise<ProviderModule> {
  try {
    // @ts-expect-error -- it comes without types
    return (await import('oidc-provider')) as ProviderModule
  } catch (cause) {
    throw new Error('developmentIssuer needs the package oidc-provider: npm install --save-dev oidc-provider', {
      cause,
    })
  }
}

async function configurationOf(options: DevelopmentIssuerOptions & { readonly audience: string }) {
  const { clients, users = [], scopes = [], audience } = options
  const accessTokenSeconds = Math.ceil((options.accessTokenMs ?? 300_000) / 1_000)
  const scope = scopes.join(' ')
  const claimsOf = (id: string) => users.find((user) => user.id === id)?.claims ?? {}
  return {
    adapter: memoryAdapter(),
    clients: clients.map((client) => clientOf(client, [...openIdScopes, ...scopes])),
    scopes: [...openIdScopes, ...scopes],
    claims: { openid: ['sub', ...new Set(users.flatMap(({ claims = {} }) => Object.keys(claims)))] },
    conformIdTokenClaims: false,
    jwks: { keys: [await signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `${loginPath}${uid}` },
    findAccount: (_: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId, ...claimsOf(accountId) }),
    }),
    extraTokenClaims: (_: unknown, { accountId }: { readonly accountId?: string }) =>
      accountId === undefined ? undefined : claimsOf(accountId),
    loadExistingGrant: ({ oidc }: ProviderContext) => grantAll(oidc, audience, [...openIdScopes, ...scopes].join(' ')),
    issueRefreshToken: (_: unknown, client: { grantTypeAllowed(name: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    renderError: (context: ProviderContext, out: Readonly<Record<string, unknown>>) => {
      context.type = 'json'
      context.body = JSON.stringify(out)
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: 60,
      IdToken: 3_600,
      Grant: 86_400,
      Interaction: 3_600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: ProviderContext, form: string) => {
          const button = '<button type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>'
          context.body = htmlPage('Sign out?', `${form}${button}`)
        },
        postLogoutSuccessSource: (context: ProviderContext) => {
          context.body = htmlPage('You are signed out', '')
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience,
          accessTokenTTL: accessTokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

function clientOf({ id, secret, redirectUris = [], logoutUris = [] }: DevelopmentClient, scopes: readonly string[]) {
  const signsIn = redirectUris.length > 0
  return {
    client_id: id,
    ...(secret === undefined ? { token_endpoint_auth_method: 'none' } : { client_secret: secret }),
    redirect_uris: redirectUris,
    post_logout_redirect_uris: logoutUris,
    response_types: signsIn ? ['code'] : [],
    grant_types: [
      ...(signsIn ? ['authorization_code', 'refresh_token'] : []),
      ...(secret === undefined ? [] : ['client_credentials']),
    ],
    id_token_signed_response_alg: 'ES256',
    scope: scopes.join(' '),
  }
}

/** Nobody is asked what an application may do: everything that it asks for. */
async function grantAll({ client, session, provider }: ProviderContext['oidc'], audience: string, scope: string) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
  grant.addOIDCScope(scope)
  grant.addResourceScope(audience, scope)
  await grant.save()
  return grant
}

async function login(
  provider: Provider,
  users: readonly DevelopmentUser[],
  context: ProviderContext,
  next: () => Promise<void>,
): Promise<void> {
  if (!context.path.startsWith(loginPath)) return await next()
  if (context.method === 'POST') {
    const accountId = new URLSearchParams(await bodyOf(context.req)).get('user') ?? ''
    if (users.some(({ id }) => id === accountId)) {
      return context.redirect(await provider.interactionResult(context.req, context.res, { login: { accountId } }))
    }
  }
  const { params } = await provider.interactionDetails(context.req, context.res)
  context.type = 'html'
  context.body = loginPage(params.client_id, users)
}

async function bodyOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > loginMaxBytes) throw new Error('The form is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function signingKey(): Promise<Readonly<Record<string, unknown>>> {
  const { exportJWK, generateKeyPair } = await import('jose')
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: randomBytes(8).toString('hex') }
}

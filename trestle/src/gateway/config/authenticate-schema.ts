import { z } from 'zod'
import { ms, msOrNone, path, text, texts } from './schema-values.ts'

const apiKeys = z
  .strictObject({
    header: text.optional().describe('Default X-Api-Key'),
    query: text.optional().describe('A query parameter that carries the key; default: none'),
    bearer: z.boolean().optional().describe('Whether Authorization: Bearer carries one, too; default true'),
    realm: text.optional(),
    cacheMax: z.int().min(1).optional().describe('Keys that one process remembers; default 10,000'),
    staleMaxMs: msOrNone('How long known keys go on while their service cannot be reached; default 60,000').optional(),
  })
  .describe('Keys made by: trestle keys create')

const jwt = z
  .strictObject({
    issuer: text.describe('iss of the tokens, exactly'),
    audience: texts.min(1).describe('aud must contain one of these'),
    algorithms: z
      .array(
        z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']),
      )
      .optional()
      .describe('Default RS256, PS256, ES256, EdDSA, Ed25519'),
    jwks: text.optional().describe("URL of the issuer's keys; default: where its discovery document says"),
    clockToleranceMs: msOrNone('For exp and nbf; default 5,000').optional(),
    subjectClaim: text.optional().describe('Default sub'),
    subjectPrefix: text.optional().describe("Put before the caller's id"),
    scopesClaim: text.optional().describe('Default scope, else scp'),
    tenantClaim: text.optional(),
    planClaim: text.optional(),
    requiredClaims: texts.optional(),
    typ: text.optional(),
    forward: z.boolean().optional().describe('Upstreams get the token too; default false'),
    name: text.optional(),
    realm: text.optional(),
    allowPrivateNetworks: z.boolean().optional().describe('The issuer is in a private network; default false'),
    cacheMax: z.int().min(1).optional(),
    keysRefreshMs: ms('Default 600,000').optional(),
    keysCoolDownMs: ms('Default 30,000').optional(),
    keysKeptMs: ms('Default 86,400,000').optional(),
    keysTimeoutMs: ms('Default 5,000').optional(),
  })
  .describe('Tokens of an issuer')

const oidc = z
  .strictObject({
    issuer: text.describe('Of the discovery document, exactly'),
    clientId: text,
    clientSecret: text.optional().describe('Without it the client is public, and PKCE alone protects the code'),
    clientAuthentication: z.enum(['basic', 'post']).optional().describe('Default basic'),
    scopes: texts.optional().describe('Default openid'),
    sessionKey: z
      .union([text, texts.min(1)])
      .describe('Encrypts the cookies: 32 characters of chance or more. Of several the first encrypts, all decrypt'),
    origin: text.optional().describe('Where browsers see this gateway: https://app.example.com'),
    allowedOrigins: texts.optional(),
    redirectPath: path.optional().describe('Default /auth/callback'),
    loginPath: path.optional().describe('Default /auth/login'),
    logoutPath: path.optional().describe('Default /auth/logout'),
    afterLogoutPath: path.optional().describe('Default /'),
    cookieName: text.optional(),
    sessionMaxMs: ms('Default 28,800,000').optional(),
    hosts: texts.optional().describe('Host names on which the pages are; default: all'),
    scopesClaim: text.optional(),
    tenantClaim: text.optional(),
    planClaim: text.optional(),
    subjectPrefix: text.optional(),
    timeoutMs: ms('For one request to the issuer; default 5,000').optional(),
    allowPrivateNetworks: z.boolean().optional().describe('The issuer is in a private network; default false'),
    toLogin: z
      .boolean()
      .optional()
      .describe('Whether a browser that asks for a page without a session is sent to log in; default true'),
  })
  .describe('Users who sign in with an OpenID Connect issuer: code flow with PKCE, a session in an encrypted cookie')

const introspection = z
  .strictObject({
    issuer: text.describe('Its discovery document says where to ask'),
    clientId: text,
    clientSecret: text,
    clientAuthentication: z.enum(['basic', 'post']).optional().describe('Default basic'),
    audience: text.optional(),
    cacheMs: msOrNone('How long an answer is used again; default 5,000').optional(),
    cacheMax: z.int().min(1).optional(),
    forward: z.boolean().optional().describe('Upstreams get the token too; default false'),
    subjectClaim: text.optional(),
    subjectPrefix: text.optional(),
    scopesClaim: text.optional(),
    tenantClaim: text.optional(),
    planClaim: text.optional(),
    name: text.optional(),
    realm: text.optional(),
    timeoutMs: ms('For one request to the issuer; default 3,000').optional(),
    allowPrivateNetworks: z.boolean().optional(),
  })
  .describe('Opaque tokens, about which the issuer is asked (RFC 7662)')

/** How the gateway itself is somebody for an upstream. */
export const clientCredentials = z
  .strictObject({
    issuer: text.optional().describe('Its discovery document says where tokens are; or tokenUrl'),
    tokenUrl: text.optional(),
    clientId: text,
    clientSecret: text,
    clientAuthentication: z.enum(['basic', 'post']).optional().describe('Default basic'),
    scopes: texts.optional(),
    resource: text.optional(),
    audience: text.optional(),
    refreshBeforeMs: ms('Before a token expires').optional(),
    timeoutMs: ms('For one request to the issuer').optional(),
    allowPrivateNetworks: z.boolean().optional().describe('The issuer is in a private network; default false'),
  })
  .describe('Shows the upstream a token of the gateway itself (OAuth 2 client credentials)')

/** One way to be somebody; exactly one of its keys is there. */
export const authenticator = z
  .strictObject({
    apiKeys: apiKeys.optional(),
    jwt: jwt.optional(),
    oidc: oidc.optional(),
    introspection: introspection.optional(),
  })
  .refine((entry) => Object.keys(entry).length === 1, 'must have exactly one of apiKeys, jwt, oidc, introspection')
  .describe('A way to be somebody')

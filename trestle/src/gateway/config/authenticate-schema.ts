import { z } from 'zod'
import { ms, msOrNone, text, texts } from './schema-values.ts'

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

/** One way to be somebody; exactly one of its keys is there. */
export const authenticator = z
  .strictObject({ apiKeys: apiKeys.optional(), jwt: jwt.optional() })
  .refine((entry) => Object.keys(entry).length === 1, 'must have exactly one of apiKeys, jwt')
  .describe('A way to be somebody')

import { bytes, command, contract, post, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { clientScopes, usualScopes } from '../scopes.ts'

/** An application of a merchant: who asks for tokens. */
export const ClientId = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/)
export const MerchantId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const Secret = z.string().min(1).max(200)
const Scope = z.enum(clientScopes)

const Form = bytes({ contentTypes: ['application/x-www-form-urlencoded'] })

export const Token = z
  .object({
    scope: z.string().describe('What it allows, by spaces'),
    access_token: z.string().describe('Send it as `Authorization: Bearer <token>`. Shown only here.'),
    token_type: z.literal('Bearer'),
    app_id: ClientId,
    expires_in: z.int().describe('Seconds'),
  })
  .meta({ id: 'Token' })

export const ClientSecret = z
  .object({ client_id: ClientId, client_secret: Secret.describe('Shown only here.') })
  .meta({ id: 'ClientSecret' })

const Client = z
  .object({ client_id: ClientId, name: z.string(), scopes: z.array(Scope), created_at: z.iso.datetime() })
  .meta({ id: 'Client' })

const clientUnknown = problem(404, 'The merchant has no such client')
const ofMerchant = z.object({ merchant_id: MerchantId, client_id: ClientId })

/** Seconds that a token is valid, unless its client says otherwise: nine hours. */
export const tokenSecondsDefault = 32_400

export const identity = contract('identity', {
  version: '1.0.0',
  owner: 'identity',
  summary: 'Which clients there are, and what their tokens allow.',
  operations: {
    token: post('/v1/oauth2/token', {
      summary: 'Get an access token',
      description:
        'The client credentials grant of OAuth 2. The client authenticates with HTTP Basic; the body is the form `grant_type=client_credentials`, with `scope` to ask for less than the client may have. Errors are those of RFC 6749, section 5.2: `error` and `error_description`.',
      input: z.object({ form: Form }),
      body: 'form',
      output: Token,
      errors: {
        invalid_request: problem(400, 'The form is malformed, or a field is given twice'),
        unsupported_grant_type: problem(400, 'Only client_credentials is granted'),
        invalid_scope: problem(400, 'The client may not have such a scope'),
        unauthorized_client: problem(400, 'The merchant of this client is not active'),
      },
      access: scopes('token'),
      bodyMaxBytes: 4_096,
    }),
    terminate: post('/v1/oauth2/token/terminate', {
      summary: 'End an access token',
      description: 'The form has `token`. A token that is unknown, or of another client, changes nothing.',
      input: z.object({ form: Form }),
      body: 'form',
      errors: { invalid_request: problem(400, 'The form is malformed, or a field is given twice') },
      access: scopes('token'),
      bodyMaxBytes: 4_096,
      idempotent: 'natural',
    }),

    verifyClient: query({
      summary: 'Whose client this is',
      input: z.object({ client_id: z.string().max(200), client_secret: z.string().max(200) }),
      output: z.object({ client_id: ClientId, merchant_id: MerchantId }),
      errors: { client_invalid: problem(401, 'There is no such client, or this is not its secret') },
    }),
    introspect: query({
      summary: 'Whose token this is, and what it allows',
      input: z.object({ token: z.string().max(200) }),
      output: z.object({
        client_id: ClientId,
        merchant_id: MerchantId,
        scopes: z.array(Scope),
        expires_at: z.iso.datetime(),
      }),
      errors: { token_invalid: problem(401, 'The token is unknown, has expired or was ended') },
    }),
    clients: query({
      summary: 'The clients of a merchant, oldest first',
      input: z.object({ merchant_id: MerchantId }),
      output: z.object({ clients: z.array(Client) }),
    }),
    createClient: command({
      summary: 'Make a client of a merchant',
      description: 'Its tokens are given out only while the merchant is active.',
      input: z.object({
        merchant_id: MerchantId,
        name: z.string().min(1).max(100),
        scopes: z
          .array(Scope)
          .max(20)
          .optional()
          .describe(`Default: ${usualScopes.map((scope) => `\`${scope}\``).join(', ')}`),
        token_seconds: z.int().min(1).max(86_400).default(tokenSecondsDefault),
      }),
      output: ClientSecret,
      errors: { too_many_clients: problem(409, 'A merchant has at most 20 clients') },
    }),
    renewSecret: command({
      summary: 'Make a new secret of a client',
      description: 'The one before stays valid for a day.',
      input: ofMerchant,
      output: ClientSecret,
      errors: { client_not_found: clientUnknown },
    }),
    removeClient: command({
      summary: 'Remove a client and end its tokens',
      input: ofMerchant,
      errors: { client_not_found: clientUnknown },
      idempotent: 'natural',
    }),
  },
})

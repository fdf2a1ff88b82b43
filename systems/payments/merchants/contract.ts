import { anyone, command, contract, del, event, get, post, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { ClientId, ClientSecret, MerchantId } from '../identity/contract.ts'
import { clientScopes } from '../scopes.ts'

export const MerchantStatus = z.enum(['pending', 'active', 'suspended'])

export const Merchant = z
  .object({
    merchant_id: MerchantId,
    business_name: z.string(),
    email: z.email(),
    country_code: z.string(),
    status: MerchantStatus.describe('`pending`: not looked at yet; only an active merchant gets tokens'),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Merchant' })

const MerchantClient = z
  .object({
    client_id: ClientId,
    name: z.string(),
    scopes: z.array(z.enum(clientScopes)),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'MerchantClient' })

const access = scopes('merchant')
const merchantUnknown = problem(404, 'There is no such merchant')
const clientUnknown = problem(404, 'The merchant has no such client')

export const merchants = contract('merchants', {
  version: '1.0.0',
  owner: 'merchants',
  summary: 'Who takes money here, and may they.',
  operations: {
    onboard: post('/v1/merchants', {
      summary: 'Become a merchant',
      description: 'Answers with a first client. It gets tokens once the merchant has been looked at and is active.',
      input: z.object({
        business_name: z.string().min(1).max(200),
        email: z.email().max(254),
        country_code: z.string().regex(/^[A-Z]{2}$/),
      }),
      output: z.object({ merchant: Merchant, client: ClientSecret }),
      created: true,
      errors: { email_taken: problem(409, 'A merchant with this e-mail address exists') },
      access: anyone(),
      examples: [{ input: { business_name: 'Ada’s Lamps', email: 'ada@example.org', country_code: 'GB' } }],
    }),
    me: get('/v1/merchants/me', {
      summary: 'The merchant of the client that asks',
      output: Merchant,
      errors: { merchant_not_found: merchantUnknown },
      access,
    }),
    clients: get('/v1/merchants/me/clients', {
      summary: 'The clients of the merchant, oldest first',
      output: z.object({ clients: z.array(MerchantClient) }),
      errors: { merchant_not_found: merchantUnknown },
      access,
    }),
    addClient: post('/v1/merchants/me/clients', {
      summary: 'Make another client',
      input: z.object({ name: z.string().min(1).max(100) }),
      output: ClientSecret,
      created: true,
      errors: {
        merchant_not_found: merchantUnknown,
        too_many_clients: problem(409, 'A merchant has at most 20 clients'),
      },
      access,
    }),
    renewSecret: post('/v1/merchants/me/clients/{client_id}/secret', {
      summary: 'Make a new secret of a client',
      description: 'The one before stays valid for a day.',
      input: z.object({ client_id: ClientId }),
      output: ClientSecret,
      created: true,
      errors: { merchant_not_found: merchantUnknown, client_not_found: clientUnknown },
      access,
    }),
    removeClient: del('/v1/merchants/me/clients/{client_id}', {
      summary: 'Remove a client; its tokens end at once',
      input: z.object({ client_id: ClientId }),
      errors: { merchant_not_found: merchantUnknown, client_not_found: clientUnknown },
      access,
    }),

    find: query({
      summary: 'One merchant',
      input: z.object({ merchant_id: MerchantId }),
      output: Merchant,
      errors: { merchant_not_found: merchantUnknown },
    }),
    setStatus: command({
      summary: 'Activate a merchant, or suspend it',
      input: z.object({ merchant_id: MerchantId, status: MerchantStatus }),
      output: Merchant,
      errors: { merchant_not_found: merchantUnknown },
      idempotent: 'natural',
    }),
  },
  events: {
    statusChanged: event(z.object({ merchant_id: MerchantId, status: MerchantStatus }), { key: 'merchant_id' }),
  },
})

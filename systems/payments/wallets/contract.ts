import {
  anyone,
  clientAddressHeader,
  command,
  contract,
  del,
  get,
  post,
  problem,
  query,
  scopes,
} from 'trestle/contract'
import { z } from 'zod'
import { Amount, amountFaults, Sum } from '../money.ts'

const Email = z.email().max(254)
const Name = z.string().min(1).max(100)
const Password = z.string().min(10).max(200)
const AccessToken = z.string().describe('Send it as `Authorization: Bearer <token>`. Shown only here.')

export const Wallet = z
  .object({
    payer_id: z.uuid(),
    email: Email,
    name: Name,
    balances: z.array(z.object({ available: Sum, held: Sum.describe('Put aside for merchants who may take it') })),
  })
  .meta({ id: 'Wallet', description: 'What a payer has, in each currency that there ever was something of.' })

const tooBusy = problem(503, 'Too many passwords are being checked right now')
const notFound = problem(404, 'The caller has no wallet')

/** Of any currency, in one top-up: the ledger has room for thousands of millions of them. */
export const topUpUnitsMax = 1_000_000

/** Seconds that a payer stays signed in. */
export const sessionSeconds = 3_600

export const wallets = contract('wallets', {
  version: '1.0.0',
  owner: 'payers',
  summary: 'Who pays here, and with what.',
  description: 'The money itself is in the ledger. Wallets are filled with test money: there is no bank behind them.',
  operations: {
    signUp: post('/v1/wallets', {
      summary: 'Open a wallet',
      description: 'E-mail addresses are unique without regard to case.',
      input: z.object({ email: Email, password: Password, name: Name }),
      output: Wallet,
      created: true,
      errors: { email_taken: problem(409, 'A wallet with this e-mail address exists'), too_busy: tooBusy },
      access: anyone(),
      examples: [{ input: { email: 'ada@example.org', password: 'correct horse battery', name: 'Ada' } }],
    }),
    logIn: post('/v1/wallets/sessions', {
      summary: 'Sign in',
      description:
        'After five wrong passwords for a wallet there are pauses, up to half a minute. Who has signed in from an address before is not held up there by wrong passwords from others.',
      input: z.object({
        email: Email,
        password: z.string().min(1).max(200),
        client_address: z.string().max(64).optional(),
      }),
      headers: { client_address: clientAddressHeader },
      output: z.object({ access_token: AccessToken, token_type: z.literal('Bearer'), expires_in: z.int() }),
      created: true,
      errors: {
        wrong_credentials: problem(401, 'No wallet has this e-mail address and password'),
        too_many_attempts: problem(429, 'There have been too many wrong passwords for this e-mail address'),
        too_busy: tooBusy,
      },
      access: anyone(),
    }),
    logOut: del('/v1/wallets/sessions/current', {
      summary: 'Sign out',
      input: z.object({ authorization: z.string().max(1_000) }),
      headers: { authorization: 'authorization' },
      access: scopes('payer'),
    }),
    me: get('/v1/wallets/me', {
      summary: "The payer's own wallet",
      output: Wallet,
      errors: { wallet_not_found: notFound },
      access: scopes('payer'),
    }),
    topUp: post('/v1/wallets/me/top-ups', {
      summary: 'Fill the wallet with test money',
      input: z.object({
        request_id: z.string().min(1).max(108).describe('The same again is no new request'),
        amount: Amount,
      }),
      headers: { request_id: 'pay-request-id' },
      output: Wallet,
      errors: {
        ...amountFaults,
        amount_too_large: problem(422, `There are at most ${topUpUnitsMax} at once, of any currency`),
        wallet_not_found: notFound,
        request_id_reused: problem(422, 'This request id belongs to a top-up of another amount'),
      },
      access: scopes('payer'),
      idempotent: 'natural',
    }),
    makePayer: post('/test/payers', {
      summary: 'Make a payer for a test, with so much in the wallet, who is signed in',
      input: z.object({ balance: Amount.optional(), name: Name.default('Test payer') }),
      output: z.object({ payer_id: z.uuid(), email: Email, password: z.string(), access_token: AccessToken }),
      created: true,
      errors: { ...amountFaults, too_busy: tooBusy },
      access: scopes('test'),
    }),

    verify: query({
      summary: 'Whose session a token opens',
      input: z.object({ token: z.string().max(200) }),
      output: z.object({ payer_id: z.uuid(), name: Name, email: Email, expires_at: z.iso.datetime() }),
      errors: { session_invalid: problem(401, 'The session is unknown or has ended') },
    }),
    endSession: command({
      summary: 'End the session that a token opens',
      input: z.object({ token: z.string().max(200) }),
      idempotent: 'natural',
    }),
    find: query({
      summary: 'Who a payer is',
      input: z.object({ payer_id: z.uuid() }),
      output: z.object({ payer_id: z.uuid(), name: Name, email: Email }),
      errors: { wallet_not_found: problem(404, 'There is no such payer') },
    }),
  },
})

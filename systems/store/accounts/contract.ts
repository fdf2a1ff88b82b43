import { anyone, command, contract, del, get, post, problem, query, signedIn } from 'trestle/contract'
import { z } from 'zod'

export const Email = z.email().max(254)

export const User = z
  .object({
    id: z.uuid(),
    email: Email,
    name: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' })

export const Session = z
  .object({
    token: z.string().describe('Send it as `Authorization: Bearer <token>`. Shown only here.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Session' })

/** A scope: what its holder may do, as `thing:verb`. */
const Scope = z.string().regex(/^[a-z]+:[a-z]+$/)

const tooBusy = problem(503, 'Too many passwords are being checked right now')

export const accounts = contract('accounts', {
  version: '1.0.0',
  owner: 'identity',
  summary: 'Who the shoppers are, and whether they are signed in.',
  operations: {
    signUp: post('/users', {
      summary: 'Open an account',
      description: 'E-mail addresses are unique without regard to case. The address is kept in lower case.',
      input: z.object({
        email: Email,
        password: z.string().min(10).max(200),
        name: z.string().min(1).max(200),
      }),
      output: User,
      created: true,
      errors: { email_taken: problem(409, 'An account with this e-mail address exists'), too_busy: tooBusy },
      access: anyone(),
      examples: [{ input: { email: 'ada@example.org', password: 'correct horse battery', name: 'Ada' } }],
    }),
    logIn: post('/sessions', {
      summary: 'Sign in',
      description:
        'Ten failed attempts for one e-mail address within fifteen minutes close it for the rest of that time, whether the account exists or not. A session ends 24 hours after it was opened.',
      input: z.object({ email: Email, password: z.string().min(1).max(200) }),
      output: Session,
      created: true,
      errors: {
        wrong_credentials: problem(401, 'No account has this e-mail address and password'),
        too_many_attempts: problem(429, 'Too many failed attempts for this e-mail address'),
        too_busy: tooBusy,
      },
      access: anyone(),
      examples: [{ input: { email: 'ada@example.org', password: 'correct horse battery' } }],
    }),
    me: get('/me', {
      summary: 'The signed-in account',
      output: User,
      errors: { user_not_found: problem(404, 'The caller is not a user of this store') },
      access: signedIn(),
    }),
    logOut: del('/sessions/current', {
      summary: 'Sign out',
      description: 'Ends the session whose token is in the Authorization header.',
      input: z.object({ authorization: z.string().max(1000) }),
      headers: { authorization: 'authorization' },
      access: signedIn(),
    }),

    verify: query({
      summary: 'Whose session a token opens',
      input: z.object({ token: z.string().max(200) }),
      output: z.object({ userId: z.uuid(), scopes: z.array(Scope), expiresAt: z.iso.datetime() }),
      errors: { session_invalid: problem(401, 'The session is unknown or has ended') },
    }),
    contact: query({
      summary: 'Where a user is written to',
      description: 'Asked when something is sent, and kept nowhere else.',
      input: z.object({ userId: z.uuid() }),
      output: z.object({ email: Email, name: z.string() }),
      errors: { user_not_found: problem(404) },
    }),
    grant: command({
      summary: "Set an account's scopes",
      description: 'Replaces them all. Sessions that are open have the new scopes at once.',
      input: z.object({ email: Email, scopes: z.array(Scope).max(50) }),
      output: z.object({ id: z.uuid(), scopes: z.array(Scope) }),
      errors: { user_not_found: problem(404) },
      idempotent: 'natural',
    }),
  },
})

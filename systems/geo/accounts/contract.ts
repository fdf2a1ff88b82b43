import { anyone, contract, del, get, post, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'

const Email = z.email().max(254)
const Name = z.string().min(1).max(100)

export const Account = z.object({ id: z.uuid(), email: Email, created_at: z.iso.datetime() }).meta({ id: 'Account' })

export const Application = z
  .object({
    id: z.uuid(),
    name: Name,
    key_prefix: z
      .string()
      .nullable()
      .describe('The first characters of its key, to recognise it by; null: it has none'),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Application' })

const Key = z.string().describe('Send it as `X-Api-Key`, or as `api_key` in the query. Shown only here.')

export const NewApplication = z
  .object({
    application: Application,
    key: Key.nullable().describe('Null when none could be made now: ask for one at /applications/{id}/key'),
  })
  .meta({ id: 'NewApplication' })

const tooBusy = problem(503, 'Too many passwords are being checked right now')
const notFound = problem(404, 'The account has no such application')
const access = scopes('account')
const byId = z.object({ id: z.uuid() })

/** Applications that one account may have. */
export const applicationsMax = 20

export const accounts = contract('accounts', {
  version: '1.0.0',
  owner: 'customers',
  summary: 'Who the customers are, and which applications of theirs may ask.',
  operations: {
    signUp: post('/accounts', {
      summary: 'Open an account, with a first application and its key',
      description: 'E-mail addresses are unique without regard to case. The account is on the free plan.',
      input: z.object({ email: Email, password: z.string().min(10).max(200), application: Name.default('First') }),
      output: NewApplication.extend({ account: Account }),
      created: true,
      errors: { email_taken: problem(409, 'An account with this e-mail address exists'), too_busy: tooBusy },
      access: anyone(),
      examples: [{ input: { email: 'ada@example.org', password: 'correct horse battery', application: 'My site' } }],
    }),
    logIn: post('/sessions', {
      summary: 'Sign in',
      description: 'A session ends 24 hours after it was opened.',
      input: z.object({ email: Email, password: z.string().min(1).max(200) }),
      output: z.object({
        token: z.string().describe('Send it as `Authorization: Bearer <token>`. Shown only here.'),
        expires_at: z.iso.datetime(),
      }),
      created: true,
      errors: {
        wrong_credentials: problem(401, 'No account has this e-mail address and password'),
        too_busy: tooBusy,
      },
      access: anyone(),
    }),
    logOut: del('/sessions/current', {
      summary: 'Sign out',
      description: 'Ends the session whose token is in the Authorization header.',
      input: z.object({ authorization: z.string().max(1000) }),
      headers: { authorization: 'authorization' },
      access,
    }),
    me: get('/account', {
      summary: 'The signed-in account',
      output: Account,
      errors: { account_not_found: problem(404, 'The caller has no account') },
      access,
    }),
    applications: get('/applications', {
      summary: "The account's applications, oldest first",
      output: z.object({ items: z.array(Application) }),
      access,
    }),
    addApplication: post('/applications', {
      summary: 'Add an application, with a key of its own',
      input: z.object({ name: Name }),
      output: NewApplication,
      created: true,
      errors: {
        account_not_found: problem(404, 'The caller has no account'),
        too_many_applications: problem(409, `An account has at most ${applicationsMax} applications`),
      },
      access,
    }),
    newKey: post('/applications/{id}/key', {
      summary: 'Make a new key for an application',
      description: 'The key before stays valid for a day.',
      input: byId,
      output: NewApplication.extend({ key: Key }),
      created: true,
      errors: { application_not_found: notFound },
      access,
    }),
    removeApplication: del('/applications/{id}', {
      summary: 'Remove an application; its key is refused within a second',
      input: byId,
      errors: { application_not_found: notFound },
      access,
    }),
    verify: query({
      summary: 'Whose session a token opens',
      input: z.object({ token: z.string().max(200) }),
      output: z.object({ account_id: z.uuid(), expires_at: z.iso.datetime() }),
      errors: { session_invalid: problem(401, 'The session is unknown or has ended') },
    }),
  },
})

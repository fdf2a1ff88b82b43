import type { Handle } from '../../call/call.ts'
import { anonymous, type Caller } from '../../call/caller.ts'
import type { CallContext } from '../../call/call-context.ts'
import { createClient } from '../../call/create-client.ts'
import type { Clock } from '../../std/clock.ts'
import type { TraceContext } from '../../std/trace-context.ts'
import type { Headers } from '../../http/message.ts'
import type { Authenticator } from './authenticator.ts'
import { refused } from '../reply/problem-response.ts'

export interface AuthenticationDeps {
  readonly send: Handle
  readonly clock: Clock
}

/** The request whose credential is looked at. */
export interface Credentials {
  readonly headers: Headers
  readonly trace: TraceContext
  readonly signal: AbortSignal
}

/** In whose name authenticators ask services: the gateway's own. */
const gatewayCaller: Caller = Object.freeze({ kind: 'service', id: 'gateway', scopes: [] })
const timeoutMs = 5_000
/** The answer is not known: saying 401 would sign a user out because a service is down. */
const unanswered = new Set([
  'unavailable',
  'overloaded',
  'dependency_unavailable',
  'outcome_unknown',
  'deadline_exceeded',
  'rate_limited',
  'bad_reply',
  'internal',
])

type Clients = Readonly<Record<string, (context: CallContext) => unknown>>
interface Prepared {
  readonly authenticator: Authenticator
  readonly clients: Clients
}

/**
 * Makes the function that turns a request's credential into a caller: no credential is anonymous, an unknown one is
 * 401, one that cannot be checked now is 503. Without authenticators credentials are not looked at.
 */
export function createAuthentication(
  authenticators: readonly Authenticator[],
  deps: AuthenticationDeps,
): (request: Credentials) => Promise<Caller> {
  const prepared = authenticators.map((authenticator) => ({ authenticator, clients: clientsOf(authenticator, deps) }))
  const challenges = challengesOf(authenticators)
  return async (request) => {
    const header = request.headers.get('authorization')
    if (header === undefined || prepared.length === 0) return anonymous
    const given = parseCredential(header)
    const chosen = given === undefined ? undefined : choose(prepared, given.scheme, given.credential)
    const caller =
      given === undefined || chosen === undefined
        ? undefined
        : await ask(chosen, given.credential, request, deps.clock.monotonic() + timeoutMs)
    if (caller !== undefined) return caller
    throw refused('unauthenticated', { detail: 'The credential is not valid' }, challenges('invalid_token'))
  }
}

function choose(prepared: readonly Prepared[], scheme: string, credential: string): Prepared | undefined {
  return prepared.find(({ authenticator }) => authenticator.scheme === scheme && authenticator.recognises(credential))
}

function parseCredential(header: string): { scheme: string; credential: string } | undefined {
  const match = /^([A-Za-z0-9-]{1,40}) +([\x21-\x7e]{1,8192})$/.exec(header)
  return match === null ? undefined : { scheme: (match[1] as string).toLowerCase(), credential: match[2] as string }
}

function clientsOf(authenticator: Authenticator, { send, clock }: AuthenticationDeps): Clients {
  return Object.fromEntries(
    Object.entries(authenticator.uses).map(([name, contract]) => [
      name,
      createClient(contract, { from: 'gateway', send, clock }),
    ]),
  )
}

async function ask(
  { authenticator, clients }: Prepared,
  credential: string,
  { headers, trace, signal }: Credentials,
  deadlineMs: number,
): Promise<Caller | undefined> {
  const context: CallContext = { caller: gatewayCaller, trace, deadlineMs, signal }
  const call = Object.fromEntries(Object.entries(clients).map(([name, clientFor]) => [name, clientFor(context)]))
  try {
    // The clients are those of the authenticator's own `uses`; its definition was checked against them.
    const caller = await authenticator.authenticate({ credential, headers, call: call as never, signal })
    return caller === undefined ? undefined : fromOutside(caller, authenticator.name)
  } catch (error) {
    if (codeOf(error) === 'cancelled') throw refused('cancelled')
    if (!unanswered.has(codeOf(error) ?? '')) throw error
    throw refused('unavailable', { detail: 'The credential cannot be checked at the moment' })
  }
}

/** The types say so already; what comes out of a token may not have been looked at. */
function fromOutside(caller: Caller, name: string): Caller {
  if (caller.kind === 'user' || caller.kind === 'key') return caller
  throw new TypeError(`authenticator(${name}): nobody comes from outside as ${JSON.stringify(caller.kind)}`)
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** `WWW-Authenticate`, one field per scheme. Source: RFC 9110 section 11.6.1, RFC 6750 section 3. */
export function challengesOf(
  authenticators: readonly Authenticator[],
): (error?: 'invalid_token' | 'insufficient_scope', scope?: string) => readonly (readonly [string, string])[] {
  const schemes = [...new Map(authenticators.map((one) => [one.scheme, one.realm]))]
  return (error, scope) =>
    schemes.map(([scheme, realm]) => {
      const bearer = scheme === 'bearer'
      const more = `${bearer && error !== undefined ? `, error="${error}"` : ''}${bearer && scope !== undefined ? `, scope="${scope}"` : ''}`
      return ['WWW-Authenticate', `${scheme[0]?.toUpperCase()}${scheme.slice(1)} realm="${realm}"${more}`] as const
    })
}

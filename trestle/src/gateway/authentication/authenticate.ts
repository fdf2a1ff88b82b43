import type { Caller } from '../../call/caller.ts'
import type { CallContext } from '../../call/call-context.ts'
import { createClient } from '../../call/create-client.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Policy } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Authenticate, Authenticator, CredentialSource } from './authenticator.ts'
import { challengesOf } from './challenges.ts'

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
  readonly authenticate: Authenticate
}

/**
 * Turns a request's credential into a caller: no credential is anonymous, an unknown one is 401, one that cannot be
 * checked now is 503. Without authenticators credentials are not looked at.
 */
export function authenticationPolicy(authenticators: readonly Authenticator[]): Policy {
  const challenges = challengesOf(authenticators)
  // Opened for the first route, the same for all of them.
  let opening: Promise<readonly Prepared[]> | undefined
  return {
    kind: 'policy',
    name: 'authentication',
    stage: 'authentication',
    async open(_, context) {
      if (authenticators.length === 0) return undefined
      opening ??= Promise.all(authenticators.map((one) => prepare(one, context)))
      const prepared = await opening
      const { clock } = context
      return async (request, next) => {
        const header = request.headers.get('authorization')
        const authorization = header === undefined ? undefined : parseCredential(header)
        const source = { authorization, headers: request.headers, query: request.query }
        const found = find(prepared, source)
        if (found !== undefined) {
          const caller = await ask(found, request, clock.monotonic() + timeoutMs)
          if (caller === undefined) throw invalid(challenges)
          request.caller = caller
          request.notes.caller = caller
        } else if (header !== undefined) throw invalid(challenges)
        return next(request)
      }
    },
  }
}

function invalid(challenges: ReturnType<typeof challengesOf>) {
  return refused('unauthenticated', { detail: 'The credential is not valid' }, challenges('invalid_token'))
}

interface FoundCredential {
  readonly prepared: Prepared
  readonly credential: string
}

function find(prepared: readonly Prepared[], source: CredentialSource): FoundCredential | undefined {
  for (const one of prepared) {
    const credential = one.authenticator.find(source)
    if (credential !== undefined) return { prepared: one, credential }
  }
  return undefined
}

async function prepare(authenticator: Authenticator, context: GatewayContext): Promise<Prepared> {
  return { authenticator, clients: clientsOf(authenticator, context), authenticate: await authenticator.open(context) }
}

function parseCredential(header: string): { scheme: string; credential: string } | undefined {
  const match = /^([A-Za-z0-9-]{1,40}) +([\x21-\x7e]{1,8192})$/.exec(header)
  return match === null ? undefined : { scheme: (match[1] as string).toLowerCase(), credential: match[2] as string }
}

function clientsOf(authenticator: Authenticator, { send, clock }: GatewayContext): Clients {
  return Object.fromEntries(
    Object.entries(authenticator.uses).map(([name, contract]) => [
      name,
      createClient(contract, { from: 'gateway', send, clock }),
    ]),
  )
}

async function ask(
  { prepared: { authenticator, clients, authenticate }, credential }: FoundCredential,
  { headers, trace, http: { signal } }: EdgeRequest,
  deadlineMs: number,
): Promise<Caller | undefined> {
  const context: CallContext = { caller: gatewayCaller, trace, deadlineMs, signal }
  const call = Object.fromEntries(Object.entries(clients).map(([name, clientFor]) => [name, clientFor(context)]))
  try {
    // The clients are those of the authenticator's own `uses`; its definition was checked against them.
    const caller = await authenticate({ credential, headers, call: call as never, signal })
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

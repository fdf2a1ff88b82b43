import { anonymous, type Caller } from '../../call/caller.ts'
import type { CallContext } from '../../call/call-context.ts'
import { createClient } from '../../call/create-client.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Policy } from '../policy/policy.ts'
import { gatewayCaller } from '../access/gateway-caller.ts'
import { Refused, refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type {
  Authenticate,
  AuthenticateArgs,
  Authenticator,
  AuthenticatorUses,
  CredentialSource,
  SpentCredential,
} from './authenticator.ts'
import { challengesOf } from './challenges.ts'
import { credentialHider } from './hidden-credentials.ts'

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
type Challenges = ReturnType<typeof challengesOf>

/**
 * Turns a request's credential into a caller: no credential is anonymous, an unknown one is 401, one that cannot be
 * checked now is 503, two different ones are 400. Without authenticators credentials are not looked at. What held the
 * credential is taken out of the request.
 */
export function authenticationPolicy(authenticators: readonly Authenticator[]): Policy {
  const challenges = challengesOf(authenticators)
  const schemes = new Set(authenticators.flatMap(({ challenge }) => challenge?.scheme ?? []))
  const hide = credentialHider(authenticators)
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
      return (request, next) => {
        const header = request.headers.get('authorization')
        const authorization = header === undefined ? undefined : parseCredential(header)
        const found = find(prepared, { authorization, headers: request.headers, query: request.query })
        if (header !== undefined && (found === undefined || found.credential !== authorization?.credential)) {
          checkUnused(authorization, found, schemes, challenges)
        }
        hide(request, found?.prepared.authenticator, found?.credential === authorization?.credential)
        if (found === undefined) return next(request)
        const answer = ask(found, request, clock.monotonic() + timeoutMs, challenges)
        const go = (caller: Caller | undefined) => {
          if (caller === undefined) throw invalid(challenges)
          request.caller = caller
          request.notes.caller = caller
          return next(request)
        }
        return answer instanceof Promise ? answer.then(go) : go(answer)
      }
    },
  }
}

function invalid(challenges: Challenges) {
  return refused('unauthenticated', { detail: 'The credential is not valid' }, challenges('invalid_token'))
}

/** An `Authorization` that no authenticator took: somebody else's only beside a credential, and of a scheme of no authenticator. */
function checkUnused(
  authorization: CredentialSource['authorization'],
  found: FoundCredential | undefined,
  schemes: ReadonlySet<string>,
  challenges: Challenges,
): void {
  if (found === undefined || authorization === undefined) throw invalid(challenges)
  if (schemes.has(authorization.scheme)) throw twoCredentials()
}

function twoCredentials() {
  return refused('bad_request', { detail: 'The request carries two different credentials' })
}

interface FoundCredential {
  readonly prepared: Prepared
  readonly credential: string
}

/** The first authenticator that recognises a credential has it; that another one finds a different one is an error. */
function find(prepared: readonly Prepared[], source: CredentialSource): FoundCredential | undefined {
  let found: FoundCredential | undefined
  for (const one of prepared) {
    const credential = one.authenticator.find(source)
    if (credential === undefined) continue
    if (found === undefined) found = { prepared: one, credential }
    else if (found.credential !== credential) throw twoCredentials()
  }
  return found
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

/** What an authenticator is asked with. Most do not call: their clients are made when they are looked for. */
class Question implements AuthenticateArgs<AuthenticatorUses> {
  readonly credential: string
  readonly headers: EdgeRequest['headers']
  readonly signal: AbortSignal
  readonly request: EdgeRequest
  readonly #clients: Clients
  readonly #trace: EdgeRequest['trace']
  readonly #deadlineMs: number

  constructor({ prepared, credential }: FoundCredential, request: EdgeRequest, deadlineMs: number) {
    this.credential = credential
    this.headers = request.headers
    this.signal = request.http.signal
    this.request = request
    this.#clients = prepared.clients
    this.#trace = request.trace
    this.#deadlineMs = deadlineMs
  }

  get call(): AuthenticateArgs<AuthenticatorUses>['call'] {
    const context: CallContext = {
      caller: gatewayCaller,
      trace: this.#trace,
      deadlineMs: this.#deadlineMs,
      signal: this.signal,
    }
    const clients = Object.entries(this.#clients).map(([name, clientFor]) => [name, clientFor(context)] as const)
    // The clients are those of the authenticator's own `uses`; its definition was checked against them.
    return Object.fromEntries(clients) as never
  }
}

function ask(
  found: FoundCredential,
  request: EdgeRequest,
  deadlineMs: number,
  challenges: Challenges,
): Caller | undefined | Promise<Caller | undefined> {
  const { authenticator, authenticate } = found.prepared
  const checked = (caller: Caller | SpentCredential | undefined) => {
    if (caller === 'spent') return anonymous
    return caller === undefined ? undefined : fromOutside(caller, authenticator.name)
  }
  try {
    const answer = authenticate(new Question(found, request, deadlineMs))
    if (!(answer instanceof Promise)) return checked(answer)
    return answer.then(checked, (error: unknown) => {
      throw failure(error, challenges)
    })
  } catch (error) {
    throw failure(error, challenges)
  }
}

function failure(error: unknown, challenges: Challenges): unknown {
  if (error instanceof Refused) {
    // A 401 says how to do better. Source: RFC 9110 section 15.5.2.
    const told = error.problem.status !== 401 || error.headers.length > 0
    return told ? error : new Refused(error.problem, challenges('invalid_token'))
  }
  if (codeOf(error) === 'cancelled') return refused('cancelled')
  if (!unanswered.has(codeOf(error) ?? '')) return error
  return refused('unavailable', { detail: 'The credential cannot be checked at the moment' })
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

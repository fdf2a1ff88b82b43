import type { Caller } from '../../call/caller.ts'
import type { Client } from '../../call/client.ts'
import type { AnyContract } from '../../contract/contract.ts'
import type { JsonSchema } from '../../contract/json-schema.ts'
import type { Headers } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

/** Who may come through a gateway: operators and services, who may do more than any scope says, do not. */
export type OutsideCaller = Caller & { readonly kind: 'user' | 'key' }

/** The contracts that an authenticator asks, each under the name by which it calls it. */
export type AuthenticatorUses = Readonly<Record<string, AnyContract>>

/** What an authenticator may use. */
export interface AuthenticateArgs<U extends AuthenticatorUses> {
  /** What follows the scheme in `Authorization`, or the value of the authenticator's own header. */
  readonly credential: string
  /** The request's headers, cleared of what only a trusted proxy may say. */
  readonly headers: Headers
  readonly call: { readonly [K in keyof U]: Client<U[K]> }
  readonly signal: AbortSignal
  /** For an answer that depends on more than the credential, or has something to say to the client. */
  readonly request: EdgeRequest
}

/** What an authenticator recognises, and how it finds out who asks. */
export interface AuthenticatorSpec<U extends AuthenticatorUses> {
  readonly name: string
  /** Scheme of the `Authorization` header: `bearer`. */
  readonly scheme: string
  /** Said in `WWW-Authenticate`; default `trestle`. */
  readonly realm?: string
  /** Contracts that it asks. */
  readonly uses?: U
  /** Whether a credential has this authenticator's form; default: every credential of its scheme. */
  readonly recognises?: (credential: string) => boolean
  /**
   * Who holds the credential; `undefined`: nobody, which is a 401. Whatever it throws is never taken for that: a
   * dependency that cannot be reached is a 503.
   */
  readonly authenticate: (args: AuthenticateArgs<U>) => Promise<OutsideCaller | undefined>
}

/** An authenticator of any uses, as the gateway holds it. */
export interface Authenticator {
  readonly kind: 'authenticator'
  readonly name: string
  /** What `WWW-Authenticate` says, the scheme in lower case; `undefined`: HTTP has no scheme for it (`X-Api-Key`). */
  readonly challenge: { readonly scheme: string; readonly realm: string } | undefined
  readonly uses: AuthenticatorUses
  /**
   * Headers, besides `Authorization`, cookies and query parameters that carry its credential: they are passed on to
   * nobody, and with `authorization` that header neither when the credential was in it.
   */
  readonly carriers?: {
    readonly headers?: readonly string[]
    readonly cookies?: readonly string[]
    readonly query?: readonly string[]
    readonly authorization?: boolean
  }
  /** What the OpenAPI document says of it: security schemes by name; default: a bearer token where `challenge` says so. */
  readonly securitySchemes?: Readonly<Record<string, JsonSchema>>
  /** The credential of a request, when it has this authenticator's form. */
  readonly find: (request: CredentialSource) => string | undefined
  /** Called once when a gateway starts; what it gives is asked for every credential that `find` found. */
  readonly open: (context: GatewayContext) => Authenticate | Promise<Authenticate>
}

/** Where a credential may be. */
export interface CredentialSource {
  /** Of `Authorization`, the scheme in lower case; `undefined` when there is none or it is malformed. */
  readonly authorization: { readonly scheme: string; readonly credential: string } | undefined
  readonly headers: Headers
  /** Raw, without `?`. */
  readonly query: string
}

/** A credential that has run out by itself, like an old session cookie: the request goes on without it. */
export type SpentCredential = 'spent'

/**
 * Who holds a credential; `undefined`: nobody, which is a 401. It may throw a `Refused` that says more, and whatever has
 * a code that says that the answer is not known, which is a 503.
 */
export type Authenticate = (
  args: AuthenticateArgs<AuthenticatorUses>,
) => OutsideCaller | SpentCredential | undefined | Promise<OutsideCaller | SpentCredential | undefined>

/**
 * Tells the gateway who holds a credential. It is asked for every request that carries one: nothing is remembered, so
 * that a revoked session is refused at once.
 * @throws TypeError for a name or a scheme that is none
 * @example authenticator({ name: 'sessions', scheme: 'bearer', uses: { accounts },
 *   authenticate: ({ credential, call }) => callerOf(call.accounts.session.try({ token: credential })) })
 */
export function authenticator<const U extends AuthenticatorUses = Record<never, never>>(
  spec: AuthenticatorSpec<U>,
): Authenticator {
  if (!/^[A-Za-z0-9-]{1,40}$/.test(spec.scheme)) {
    throw new TypeError(`authenticator(${spec.name}): ${JSON.stringify(spec.scheme)} is no authentication scheme`)
  }
  const realm = spec.realm ?? 'trestle'
  if (!/^[A-Za-z0-9 ._-]{1,80}$/.test(realm)) {
    throw new TypeError(`authenticator(${spec.name}): a realm has letters, digits, space, dot, hyphen and underscore`)
  }
  const scheme = spec.scheme.toLowerCase()
  const recognises = spec.recognises ?? (() => true)
  return {
    kind: 'authenticator',
    name: spec.name,
    challenge: { scheme, realm },
    uses: spec.uses ?? {},
    find: ({ authorization }) =>
      authorization?.scheme === scheme && recognises(authorization.credential) ? authorization.credential : undefined,
    // The clients that it gets are made from `uses` above, so the wider type is the same at run time.
    open: () => spec.authenticate as unknown as Authenticate,
  }
}

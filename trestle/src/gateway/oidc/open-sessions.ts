import { BoundedMap } from '../../std/bounded-map.ts'
import type { Authenticate, OutsideCaller, SpentCredential } from '../authentication/authenticator.ts'
import { VerifiedTokens } from '../authentication/verified-tokens.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { isIssuerUnavailable } from './issuer-failure.ts'
import type { RelyingParty } from './relying-party.ts'
import { checkSameOrigin } from './same-origin.ts'
import { sealSession } from './seal-session.ts'
import type { Session } from './session.ts'
import { originSeen, sessionCookie, setCookie } from './session-cookie.ts'

const rememberedMax = 10_000
/** Requests that were on their way with the old cookie get what the first of them got: a refresh token may work once. */
const sharedMs = 30_000
/** While the issuer cannot be asked, a session that needs a refresh goes on for so long. */
const graceMs = 300_000

/** A session that was refreshed, as its new cookie; `ended`: the issuer says no more. */
type Refreshed = { readonly session: Session; readonly sealed: string } | 'ended'

/** Opens the sessions of a log-in: cookie in, caller out. A cookie that has run out is taken away. */
export function openSessions(party: RelyingParty, context: GatewayContext): Authenticate {
  const { login } = party
  const { clock, log } = context
  const opened = new VerifiedTokens<Session>(rememberedMax)
  const refreshing = new BoundedMap<string, Promise<Refreshed>>(rememberedMax)

  const end = (request: EdgeRequest): SpentCredential => {
    const name = sessionCookie(login, originSeen(login, request.headers))
    request.replyHeaders.push(setCookie(name, '', 0) as [string, string])
    return 'spent'
  }

  const refresh = async (session: Session): Promise<Refreshed> => {
    try {
      const next = await party.refresh(session)
      return { session: next, sealed: await sealSession(party, next, log) }
    } catch (error) {
      if (isIssuerUnavailable(error)) throw error
      return 'ended'
    }
  }

  const refreshOnce = (key: string, session: Session): Promise<Refreshed> => {
    const running = refreshing.get(key)
    if (running !== undefined) return running
    const started = refresh(session)
    refreshing.set(key, started)
    started.then(
      () => void clock.setTimeout(() => refreshing.delete(key), sharedMs),
      () => refreshing.delete(key),
    )
    return started
  }

  const renewed = async (
    key: string,
    session: Session,
    request: EdgeRequest,
  ): Promise<OutsideCaller | SpentCredential> => {
    let result: Refreshed
    try {
      result = await refreshOnce(key, session)
    } catch {
      if (clock.now() < (session.freshUntilMs ?? 0) + graceMs) return session.caller
      throw refused('unavailable', { detail: 'The session cannot be refreshed at the moment' })
    }
    if (result === 'ended') return end(request)
    const name = sessionCookie(login, originSeen(login, request.headers))
    const ageMs = result.session.untilMs - clock.now()
    request.replyHeaders.push(setCookie(name, result.sealed, ageMs) as [string, string])
    return result.session.caller
  }

  const callerOf = (key: string, session: Session, request: EdgeRequest) => {
    checkSameOrigin(request, originSeen(login, request.headers), login.allowedOrigins)
    const fresh = session.freshUntilMs === undefined || clock.now() < session.freshUntilMs
    return fresh ? session.caller : renewed(key, session, request)
  }

  const open = async (key: string, sealed: string, request: EdgeRequest) => {
    const session = await party.sessions.open(sealed)
    if (session === undefined || clock.now() >= session.untilMs) return end(request)
    opened.set(key, session, session.untilMs, opened.generation)
    return await callerOf(key, session, request)
  }

  return ({ credential, request }) => {
    const key = VerifiedTokens.keyOf(credential)
    const session = opened.get(key, clock.now())
    return session === undefined ? open(key, credential, request) : callerOf(key, session, request)
  }
}

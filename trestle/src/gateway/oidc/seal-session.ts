import type { GatewayLog } from '../gateway-context.ts'
import type { RelyingParty } from './relying-party.ts'
import type { Session } from './session.ts'

/** Browsers drop a cookie of more than 4,096 bytes, its name and attributes included. */
const cookieMaxBytes = 3_900

/**
 * A session as the value of its cookie. A refresh token that does not fit is left out: then the session ends with its
 * access token.
 * @throws Error when the caller alone does not fit
 */
export async function sealSession(
  { sessions, login }: RelyingParty,
  session: Session,
  log: GatewayLog,
): Promise<string> {
  const sealed = await sessions.seal(session)
  if (sealed.length <= cookieMaxBytes) return sealed
  log.warn({ issuer: login.issuer, bytes: sealed.length }, 'the refresh token does not fit into the session cookie')
  const untilMs = Math.min(session.untilMs, session.freshUntilMs ?? session.untilMs)
  const short = await sessions.seal({ ...session, untilMs, freshUntilMs: undefined, refreshToken: undefined })
  if (short.length <= cookieMaxBytes) return short
  throw new Error(`The session of ${login.issuer} does not fit into a cookie: ${short.length} bytes`)
}

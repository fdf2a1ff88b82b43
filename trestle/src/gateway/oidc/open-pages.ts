import { anyone } from '../../contract/access.ts'
import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import { cookieOf } from '../authentication/hidden-cookies.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { EdgeHandler } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { isIssuerUnavailable, reasonOf } from './issuer-failure.ts'
import type { OidcPagesSpec } from './oidc.ts'
import type { RelyingParty } from './relying-party.ts'
import { safeReturnTo } from './return-to.ts'
import { sealSession } from './seal-session.ts'
import type { Session } from './session.ts'
import { loginCookie, originSeen, sessionCookie, setCookie } from './session-cookie.ts'

/** Opens the pages of a log-in. */
export async function openPages({ login }: OidcPagesSpec, context: GatewayContext): Promise<OpenRoute> {
  const pages = pagesOf(await login.open(context), context)
  const endpoint = (method: string, template: string, answer: EdgeHandler): Endpoint => ({
    method,
    template,
    place: `the page ${template} of oidc(${login.issuer})`,
    operation: undefined,
    target: 'page',
    access: anyone(),
    allowInPath: [],
    cost: 0,
    policies: [],
    answer,
  })
  return {
    endpoints: [
      endpoint('GET', login.loginPath, pages.begin),
      endpoint('GET', login.redirectPath, pages.finish),
      endpoint('GET', login.logoutPath, pages.end),
      endpoint('POST', login.logoutPath, pages.end),
    ],
    documents: [],
  }
}

/** The front door has taken our cookies out of the headers that go on: they are for these pages alone. */
function cookie({ http }: EdgeRequest, name: string): string | undefined {
  return cookieOf(http.headers, name)
}

function pagesOf(
  party: RelyingParty,
  { clock, log }: GatewayContext,
): Readonly<Record<'begin' | 'finish' | 'end', EdgeHandler>> {
  const { login } = party

  return {
    async begin(request: EdgeRequest): Promise<HttpResponse> {
      const origin = originSeen(login, request.headers)
      const returnTo = safeReturnTo(new URLSearchParams(request.query).get('returnTo'))
      const { url, attempt } = await orUnavailable(party.begin(origin, returnTo))
      const sealed = await party.attempts.seal(attempt)
      return goTo(302, url, [setCookie(loginCookie(login, origin), sealed, attempt.untilMs - clock.now())])
    },

    async finish(request: EdgeRequest): Promise<HttpResponse> {
      const origin = originSeen(login, request.headers)
      const sealed = cookie(request, loginCookie(login, origin))
      const attempt = sealed === undefined ? undefined : await party.attempts.open(sealed)
      if (attempt === undefined || clock.now() >= attempt.untilMs) {
        const detail = `This log-in was not begun in this browser, or took too long: begin again at ${login.loginPath}`
        throw refused('bad_request', { detail })
      }
      let session: Session
      try {
        session = await party.finish(attempt, request.query)
      } catch (error) {
        log.info({ reason: reasonOf(error), issuer: login.issuer }, 'a log-in was not completed')
        if (isIssuerUnavailable(error)) throw unavailable()
        throw refused('unauthenticated', { detail: `The log-in was not completed: begin again at ${login.loginPath}` })
      }
      const value = await sealSession(party, session, log)
      return goTo(303, attempt.returnTo, [
        setCookie(sessionCookie(login, origin), value, session.untilMs - clock.now()),
        setCookie(loginCookie(login, origin), '', 0),
      ])
    },

    async end(request: EdgeRequest): Promise<HttpResponse> {
      const site = request.headers.get('sec-fetch-site')
      if (site !== undefined && site !== 'same-origin' && site !== 'none') {
        throw refused('forbidden', { detail: "Another site's page cannot sign anybody out" })
      }
      const origin = originSeen(login, request.headers)
      const sealed = cookie(request, sessionCookie(login, origin))
      const session = sealed === undefined ? undefined : await party.sessions.open(sealed)
      const afterwards = `${origin}${login.afterLogoutPath}`
      // Signed out here, whatever the issuer says.
      const url = await party.end(session, afterwards).catch(() => undefined)
      return goTo(303, url ?? login.afterLogoutPath, [setCookie(sessionCookie(login, origin), '', 0)])
    },
  }
}

function goTo(status: 302 | 303, location: string, headers: HeaderFields): HttpResponse {
  return { status, headers: [['Location', location], ['Cache-Control', 'no-store'], ...headers] }
}

async function orUnavailable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw isIssuerUnavailable(error) ? unavailable() : error
  }
}

function unavailable() {
  return refused('unavailable', { detail: 'Log-in is not possible at the moment' })
}

import type { HttpResponse } from '../../http/message.ts'
import type { Policy } from '../policy/policy.ts'
import { Refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

/** Sends a browser that asks for a page, and would get a 401, to log in; programs get their 401. */
export function toLogin(loginPath: string): Policy {
  return {
    kind: 'policy',
    name: 'to-login',
    // Around authentication and authorisation, whose refusals it looks at.
    stage: 'cors',
    open: ({ access, target }) => {
      if (access.kind === 'anyone' || target === 'page') return undefined
      return async (request, next): Promise<HttpResponse> => {
        try {
          return await next(request)
        } catch (error) {
          if (!(error instanceof Refused) || error.problem.status !== 401 || !asksForPage(request)) throw error
          // Without the credential that was not good enough: authentication has taken it out.
          const { path, query } = request
          const returnTo = encodeURIComponent(query === '' ? path : `${path}?${query}`)
          return {
            status: 302,
            headers: [
              ['Location', `${loginPath}?returnTo=${returnTo}`],
              ['Cache-Control', 'no-store'],
            ],
          }
        }
      }
    },
  }
}

function asksForPage({ http, headers }: EdgeRequest): boolean {
  const mode = headers.get('sec-fetch-mode')
  const navigates = mode === undefined || mode === 'navigate'
  return http.method === 'GET' && navigates && /\btext\/html\b/.test(headers.get('accept') ?? '')
}

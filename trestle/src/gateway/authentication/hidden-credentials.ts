import type { EdgeRequest } from '../request/edge-request.ts'
import type { Authenticator } from './authenticator.ts'
import { withoutCookies } from './hidden-cookies.ts'
import { HiddenHeaders } from './hidden-headers.ts'
import { withoutParameters } from './query-credential.ts'

/**
 * Makes what takes the credentials out of a request, so that they are passed on to nobody and stand in no log. What
 * `Authorization` holds goes only when it was taken.
 */
export function credentialHider(authenticators: readonly Authenticator[]) {
  const headers = authenticators.flatMap(({ carriers }) => carriers?.headers ?? []).map((name) => name.toLowerCase())
  const cookies = authenticators.flatMap(({ carriers }) => carriers?.cookies ?? [])
  const query = authenticators.flatMap(({ carriers }) => carriers?.query ?? [])
  const withAuthorization = [...headers, 'authorization']
  return (request: EdgeRequest, taker: Authenticator | undefined, tookAuthorization: boolean): void => {
    if (query.length > 0) request.query = withoutParameters(request.query, query)
    if (cookies.length > 0) request.headers = withoutCookies(request.headers, cookies)
    if (tookAuthorization && taker?.carriers?.authorization === true) {
      request.headers = new HiddenHeaders(request.headers, withAuthorization)
    } else if (headers.some((name) => request.headers.has(name))) {
      request.headers = new HiddenHeaders(request.headers, headers)
    }
    if (query.length > 0 && namesCredential(request.headers.get('referer'), query)) {
      request.headers = new HiddenHeaders(request.headers, ['referer'])
    }
  }
}

/** A browser says on which page of ours it was, with the key in that page's address. */
function namesCredential(address: string | undefined, query: readonly string[]): boolean {
  const mark = address?.indexOf('?') ?? -1
  if (address === undefined || mark === -1) return false
  const asked = address.slice(mark + 1)
  return withoutParameters(asked, query) !== asked
}

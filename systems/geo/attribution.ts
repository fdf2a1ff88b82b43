import type { Policy } from 'trestle/gateway'

/** Whose data are in an answer, and by which licence. The databases of cities, of systems and, in part, of countries ask for this. */
const links = [
  '<https://creativecommons.org/licenses/by/4.0/>; rel="license"; title="IP Geolocation by DB-IP"',
  '<https://db-ip.com>; rel="via"; title="DB-IP"',
  '<https://www.routeviews.org>; rel="via"; title="RouteViews"',
  '<https://www.nro.net>; rel="via"; title="Number Resource Organization"',
]

/** Says in the `Link` of every answer with data where these come from. Source: RFC 8288. */
export const attribution: Policy = {
  kind: 'policy',
  name: 'attribution',
  stage: 'resilience',
  open: () => async (request, next) => {
    const response = await next(request)
    if (response.status !== 200) return response
    return { ...response, headers: [...response.headers, ['Link', links.join(', ')]] }
  },
}

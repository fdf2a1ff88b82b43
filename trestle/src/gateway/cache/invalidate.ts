import type { HttpResponse } from '../../http/message.ts'
import type { Advice } from '../policy/policy.ts'
import { Refused } from '../reply/problem-response.ts'
import { canonicalPath } from '../request/canonical-path.ts'
import { pathKeyOf } from './cache-key.ts'
import type { ReplyCache } from './reply-cache.ts'

/**
 * Forgets what is stored of a path, with any query, when something there may have changed, and of the paths that the reply
 * names in `Location` and `Content-Location`. What was refused changed nothing. Source: RFC 9111, section 4.4.
 */
export function invalidating(replies: ReplyCache): Advice {
  return async (request, next) => {
    const forget = (path: string) => replies.invalidate(pathKeyOf({ headers: request.headers, path }))
    try {
      const response = await next(request)
      if (response.status < 400 || response.status >= 500) {
        forget(request.path)
        for (const path of namedPaths(response)) forget(path)
      }
      return response
    } catch (error) {
      // It may have been processed all the same.
      if (!(error instanceof Refused) || error.problem.status >= 500) forget(request.path)
      throw error
    }
  }
}

/** Of this host: another host's replies are not for this one to forget. */
function namedPaths({ headers }: HttpResponse): readonly string[] {
  return headers.flatMap(([name, value]) => {
    if (!/^(?:content-)?location$/i.test(name) || !value.startsWith('/') || value.startsWith('//')) return []
    const canonical = canonicalPath(value.split(/[?#]/, 1)[0] ?? '')
    return canonical.ok ? [canonical.path] : []
  })
}

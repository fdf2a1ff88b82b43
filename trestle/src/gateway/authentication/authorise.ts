import { verdictOn } from '../../call/access-verdict.ts'
import type { Policy } from '../policy/policy.ts'
import { refused } from '../reply/problem-response.ts'
import type { Authenticator } from './authenticator.ts'
import { challengesOf } from './challenges.ts'

/** Lets in whom a route's access lets in: 401 for nobody in particular, 403 for somebody else. */
export function authorisationPolicy(authenticators: readonly Authenticator[]): Policy {
  const challenges = challengesOf(authenticators)
  return {
    kind: 'policy',
    name: 'authorisation',
    stage: 'authorisation',
    open({ access }) {
      if (access.kind === 'anyone') return undefined
      return (request, next) => {
        const verdict = verdictOn(access, request.caller)
        if (verdict === 'allowed') return next(request)
        if (verdict === 'unauthenticated') throw refused('unauthenticated', {}, challenges())
        const scope = access.kind === 'scopes' ? access.scopes.join(' ') : undefined
        const detail = scope === undefined ? {} : { detail: `This needs the scopes ${scope}` }
        throw refused('forbidden', detail, challenges('insufficient_scope', scope))
      }
    },
  }
}

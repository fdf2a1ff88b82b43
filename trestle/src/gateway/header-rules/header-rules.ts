import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import type { Policy } from '../policy/policy.ts'
import { checkHeaderRules, type HeaderRules, openHeaderRules } from '../upstream/header-rules.ts'
import { ruledHeaders } from './ruled-headers.ts'

/** Fields that change on the way in and on the way out. */
export interface HeaderRulesOptions {
  /** What the service or upstream sees; authentication and limits see what the client sent. */
  readonly request?: HeaderRules
  /** What the client gets; what is set is also on problems that arise behind the other policies. */
  readonly response?: HeaderRules
}

/**
 * Sets and removes header fields of any kind of route; an upstream can also say so by itself, in its `headers`. What only
 * the gateway may say, and what frames a message, cannot be set or removed.
 * @throws TypeError for a name or a value that is none, or is the gateway's own
 * @example gateway({ routes: [expose(orders)],
 *   policies: [headerRules({ response: { set: { 'X-Frame-Options': 'DENY' }, remove: ['Server'] } })] })
 */
export function headerRules({ request = {}, response = {} }: HeaderRulesOptions): Policy {
  checkHeaderRules(request, fail)
  checkHeaderRules(response, fail)
  const inwards = openHeaderRules(request)
  const outwards = openHeaderRules(response)
  const isEmpty = inwards.dropped.size === 0
  return {
    kind: 'policy',
    name: 'header-rules',
    // Innermost: whatever decides on a request has seen it as it came.
    stage: 'resilience',
    open: () => async (edge, next) => {
      for (const [name, value] of outwards.added) edge.replyHeaders.push([name, value])
      const reply = await next(isEmpty ? edge : { ...edge, headers: ruledHeaders(edge.headers, inwards) })
      return without(reply, outwards.dropped)
    },
  }
}

const fail = (what: string) => new TypeError(`headerRules: ${what}`)

function without(reply: HttpResponse, dropped: ReadonlySet<string>): HttpResponse {
  const has = ([name]: HeaderFields[number]) => dropped.has(name.toLowerCase())
  return reply.headers.some(has) ? { ...reply, headers: reply.headers.filter((field) => !has(field)) } : reply
}

import type { HeaderFields } from '../../http/message.ts'
import { childSpan, formatTraceparent } from '../../std/trace-context.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { OpenHeaderRules } from './header-rules.ts'

/** A header field. */
export type Field = readonly [name: string, value: string]

/** Ours to say, whatever the client said; `expect` has been answered by the engine. */
const ours = new Set(['host', 'x-request-id', 'traceparent', 'tracestate', 'expect', 'content-length'])

/** The fields that an attempt sends, without those that name its target and its deadline. */
export function requestFields(request: EdgeRequest, { dropped, added }: OpenHeaderRules): Field[] {
  const fields: Field[] = []
  request.headers.forEach((name, value) => {
    if (!ours.has(name) && !dropped.has(name)) fields.push([name, value])
  })
  for (const [name, value] of added) fields.push([name, value])
  const trace = childSpan(request.trace)
  fields.push(['x-request-id', request.requestId], ['traceparent', formatTraceparent(trace)])
  if (trace.state !== undefined) fields.push(['tracestate', trace.state])
  return fields
}

/** Who asks, in a form that no value can break out of: what is not visible ASCII is percent-encoded. */
export function callerFields({ kind, id, scopes, plan, tenant }: EdgeRequest['caller']): HeaderFields {
  const fields: [string, string][] = [['trestle-caller-kind', kind]]
  if (id !== '') fields.push(['trestle-caller-id', visible(id)])
  if (scopes.length > 0) fields.push(['trestle-caller-scopes', scopes.map(visible).join(' ')])
  if (plan !== undefined) fields.push(['trestle-caller-plan', visible(plan)])
  if (tenant !== undefined) fields.push(['trestle-caller-tenant', visible(tenant)])
  return fields
}

function visible(text: string): string {
  return /^[\x21-\x24\x26-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed())
}

import type { HeaderFields, Headers } from '../../http/message.ts'
import type { OpenHeaderRules } from './header-rules.ts'

/** Of one hop only (RFC 9110, section 7.6.1), or said by the gateway itself on every reply. */
const notPassedOn = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  'x-content-type-options',
])

/**
 * What of an upstream's fields the client gets: nothing of the hop, nothing that only the gateway may say.
 * @param located what becomes of an address of the upstream itself
 */
export function responseFields(
  headers: Headers,
  { dropped, added }: OpenHeaderRules,
  located: (location: string) => string,
): HeaderFields {
  const connection = headers.get('connection')
  const named = connection === undefined ? undefined : new Set(connection.toLowerCase().split(/[\s,]+/))
  const fields: (readonly [string, string])[] = []
  headers.forEach((name, value) => {
    if (notPassedOn.has(name) || dropped.has(name) || named?.has(name) === true || isOurs(name)) return
    fields.push([name, name === 'location' || name === 'content-location' ? located(value) : value])
  })
  for (const field of added) fields.push(field)
  return fields
}

function isOurs(name: string): boolean {
  return name.startsWith('trestle-') || name.startsWith('x-trestle-')
}

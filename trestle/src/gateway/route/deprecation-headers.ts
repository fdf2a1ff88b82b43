import type { Deprecation } from '../../contract/operation.ts'
import type { HeaderFields } from '../../http/message.ts'

/**
 * What every reply of a deprecated operation says. Sources: RFC 9745 (`Deprecation`), RFC 8594 (`Sunset`), RFC 8288.
 * @example deprecationHeaders({ on: '2027-01-31' }) // [['Deprecation', '@1801353600']]
 */
export function deprecationHeaders(deprecated: Deprecation | undefined): HeaderFields {
  if (deprecated === undefined) return []
  const { on, sunset, use } = deprecated
  const fields: [string, string][] = [['Deprecation', `@${Math.floor(Date.parse(on) / 1_000)}`]]
  if (sunset !== undefined) fields.push(['Sunset', new Date(sunset).toUTCString()])
  if (use !== undefined && /^(?:https?:\/\/|\/)[\x21\x23-\x3b\x3d\x3f-\x7e]*$/.test(use)) {
    fields.push(['Link', `<${use}>; rel="successor-version"`])
  }
  return fields
}

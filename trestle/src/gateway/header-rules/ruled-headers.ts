import { headersFrom } from '../../http/header-list.ts'
import type { Headers } from '../../http/message.ts'
import type { OpenHeaderRules } from '../upstream/header-rules.ts'

/** The headers as rules make them. */
export function ruledHeaders(headers: Headers, { dropped, added }: OpenHeaderRules): Headers {
  const raw: string[] = []
  headers.forEach((name, value) => {
    if (!dropped.has(name)) raw.push(name, value)
  })
  for (const [name, value] of added) raw.push(name.toLowerCase(), value)
  return headersFrom(raw)
}

import { publishedText } from './formats.ts'
import type { CheckDef } from './zod-def.ts'

const nobodyElse = 'cannot be said in JSON Schema, so nobody else would know the rule'
const inHandler = 'check it in the handler and answer with a declared error'

const withChecksum = new Set(['credit_card', 'iban'])

/** Of a rule about a text that no keyword says: what to write instead. Nothing for those that are published whole. */
export function unsayableText(check: CheckDef): string | undefined {
  const { format = '', protocol, hostname, normalize, alg } = check
  if (withChecksum.has(format))
    return `a checksum ${nobodyElse}: use z.string().regex(...) for the form, and ${inHandler}`
  if (protocol !== undefined) return `the protocol of a URL ${nobodyElse}: use z.url().regex(/^https:/), or a codec`
  if (hostname !== undefined) return `the host name of a URL ${nobodyElse}: use a codec, or ${inHandler}`
  if (normalize === true) return 'normalize changes what was sent: use z.codec(...), or do it in the handler'
  if (typeof alg === 'string') return `the algorithm of a JWT ${nobodyElse}: check it where the token is verified`
  const published = publishedText(check)
  if (published.format !== undefined || published.pattern !== undefined) return undefined
  return `a format that is a function ${nobodyElse}: use a pattern or a codec, or ${inHandler}`
}

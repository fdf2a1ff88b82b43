const escape = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)/g
const refusedEscape = /^\\u(?:0000|[dD][89a-fA-F]..)$/

/**
 * Whether JSON says, in an escape, what no text of ours holds: U+0000, which databases cannot store, or half a surrogate
 * pair, which is no character and would be replaced somewhere on its way. The text itself came from UTF-8 and has none.
 * Source: RFC 7493 (I-JSON), section 2.1.
 */
export function escapesPlainText(json: string): boolean {
  if (!json.includes('\\u')) return false
  for (const [found] of json.matchAll(escape)) if (refusedEscape.test(found)) return true
  return false
}

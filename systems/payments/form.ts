const decoder = new TextDecoder('utf-8', { fatal: true })

/** The fields of a form; `undefined` when it is malformed or gives a field twice. Source: RFC 6749 section 3.2. */
export function readForm(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return undefined
  }
  const pairs = [...new URLSearchParams(text)]
  const fields = new Map(pairs)
  return fields.size === pairs.length ? fields : undefined
}

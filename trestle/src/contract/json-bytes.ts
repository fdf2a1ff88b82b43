const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

export type JsonText =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly detail: string }

/** JSON as bytes, strictly: UTF-8 without errors and without a byte order mark, one value, nothing after it. */
export function parseJsonBytes(bytes: Uint8Array): JsonText {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return { ok: false, detail: 'the body is not UTF-8' }
  }
  try {
    return { ok: true, value: JSON.parse(text), text }
  } catch {
    return { ok: false, detail: text.trim() === '' ? 'the body is empty' : 'the body is not JSON' }
  }
}

export function jsonBytes(text: string): Uint8Array {
  return encoder.encode(text)
}

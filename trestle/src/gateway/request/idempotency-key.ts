export type IdempotencyKey =
  | { readonly ok: true; readonly key: string | undefined }
  | { readonly ok: false; readonly detail: string }

const visible = /^[\x21-\x7e]{1,255}$/
/** A string of RFC 9651, as the header's draft wants it. */
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

/**
 * Reads `Idempotency-Key`: 1 to 255 visible ASCII characters, bare or as a quoted string; both mean the same key.
 * Source: IETF draft-ietf-httpapi-idempotency-key-header-07.
 */
export function readIdempotencyKey(header: string | undefined): IdempotencyKey {
  if (header === undefined) return { ok: true, key: undefined }
  const inner = quoted.exec(header)?.[1]?.replaceAll(/\\(["\\])/g, '$1')
  const key = inner ?? header
  if (!visible.test(key) || (inner === undefined && header.startsWith('"'))) {
    return { ok: false, detail: 'Idempotency-Key is not 1 to 255 visible ASCII characters' }
  }
  return { ok: true, key }
}

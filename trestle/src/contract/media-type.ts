const form =
  /^\s*([A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+)\s*((?:;\s*[A-Za-z0-9!#$&^_.+-]+=(?:[A-Za-z0-9!#$&^_.+-]+|"[^"\\]*")\s*)*);?\s*$/

/** A media type without its parameters in lower case, and its charset; `undefined` when it is not exactly one. */
function parseMediaType(text: string): { readonly type: string; readonly charset: string | undefined } | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const charsets = [...(match[2] as string).matchAll(/;\s*charset="?([^";\s]+)"?/gi)].map((found) =>
    (found[1] as string).toLowerCase(),
  )
  return charsets.length > 1 ? undefined : { type: (match[1] as string).toLowerCase(), charset: charsets[0] }
}

/** `application/json` or `application/*+json`, in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true
  const media = contentType === undefined ? undefined : parseMediaType(contentType)
  if (media === undefined || (media.charset !== undefined && media.charset !== 'utf-8')) return false
  return media.type === 'application/json' || /^application\/[^/]+\+json$/.test(media.type)
}

/** Whether bytes of this type are among the declared types; none declared: any. */
export function isAmong(contentType: string | undefined, declared: readonly string[]): boolean {
  if (declared.length === 0) return true
  const media = contentType === undefined ? undefined : parseMediaType(contentType)
  return media !== undefined && declared.some((type) => type.toLowerCase() === media.type)
}

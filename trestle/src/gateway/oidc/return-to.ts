const maxLength = 2_048

/**
 * Where to go after a log-in: a path on this host, or `/`. Browsers read `//host`, `/\host` and an address with tabs or
 * line breaks in it as another host.
 */
export function safeReturnTo(text: string | null | undefined): string {
  if (text === null || text === undefined || text.length > maxLength) return '/'
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text)) return '/'
  const url = URL.parse(text, 'https://here.invalid')
  if (url === null || url.origin !== 'https://here.invalid' || url.pathname.startsWith('//')) return '/'
  return `${url.pathname}${url.search}${url.hash}`
}

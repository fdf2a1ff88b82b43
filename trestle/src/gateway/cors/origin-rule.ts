/**
 * Makes the check of an origin: equal to one of the list, or under a declared wildcard (`https://*.example.com` is any one
 * label before `.example.com`). Compared as text, so nothing that only looks like it passes; `null` never does.
 * @throws TypeError for an origin that is none
 */
export function originRule(origins: '*' | readonly string[]): (origin: string) => boolean {
  if (origins === '*') return () => true
  const rules = origins.map((origin) => checked(origin))
  const exact = new Set(rules)
  return (origin) => exact.has(origin) || exact.has(origin.replace(/^([a-z]+:\/\/)[a-z0-9-]+\./, '$1*.'))
}

function checked(origin: string): string {
  const example = origin.replace('://*.', '://any.')
  const url = URL.parse(example)
  if (url === null || url.origin === 'null' || url.origin !== example || example.includes('*')) {
    throw new TypeError(
      `cors: ${JSON.stringify(origin)} is no origin; write https://app.example.com, without a path, in lower case`,
    )
  }
  return origin
}

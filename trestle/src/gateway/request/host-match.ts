/**
 * Makes the check of a request's host: equal to one of the names, or under a declared wildcard (`*.example.com` is any
 * one label before `.example.com`). No names: every host.
 * @throws TypeError for a name that is none
 */
export function hostMatcher(names: readonly string[]): (host: string | undefined) => boolean {
  if (names.length === 0) return () => true
  for (const name of names) {
    if (!/^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name)) {
      throw new TypeError(`gateway: ${JSON.stringify(name)} is no host name; write api.example.com or *.example.com`)
    }
  }
  const exact = new Set(names.map((name) => name.toLowerCase()))
  return (host) => {
    const name = (host ?? '').toLowerCase().replace(/:\d*$/, '')
    return !name.startsWith('*') && (exact.has(name) || exact.has(`*${name.slice(name.indexOf('.'))}`))
  }
}

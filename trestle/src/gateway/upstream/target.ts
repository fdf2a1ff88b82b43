/** Where an attempt goes. */
export interface Target {
  /** As it was written, and its id in the cluster. */
  readonly url: string
  /** `http://host:port` */
  readonly origin: string
  /** What `Host` says when it names the target. */
  readonly host: string
  /** Put before every path; empty or `/base` without a slash at its end. */
  readonly basePath: string
}

/** Reads a target of an upstream. @throws TypeError for what is no address of a server */
export function checkedTarget(
  target: string | { readonly url: string; readonly weight?: number },
  fail: (what: string) => TypeError,
): { readonly url: string; readonly weight: number } {
  const { url, weight = 1 } = typeof target === 'string' ? { url: target } : target
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const good =
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    `${parsed.username}${parsed.password}${parsed.search}${parsed.hash}` === '' &&
    !/[?#]$/.test(url)
  if (!good) throw fail(`${JSON.stringify(withoutSecrets(url))} is no address like http://127.0.0.1:9001`)
  if (!(weight >= 0 && Number.isFinite(weight))) throw fail(`the weight of ${url} is ${weight}, not a number from 0`)
  return { url, weight }
}

/** An address with a password in it must not end in a log. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//...@')
}

export function targetOf(url: string): Target {
  const { origin, host, pathname } = new URL(url)
  return { url, origin, host, basePath: pathname.replace(/\/$/, '') }
}

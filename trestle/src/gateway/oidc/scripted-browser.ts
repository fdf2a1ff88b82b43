/** A browser without eyes, for tests: keeps cookies by host, follows redirects, presses a button. */
export interface ScriptedBrowser {
  /** Cookies by host, then name. */
  readonly cookies: Map<string, Map<string, string>>
  /** Asks once. */
  ask(url: string, init?: RequestInit): Promise<Response>
  /** Asks, and follows redirects as long as `until` says no. */
  follow(url: string, init?: RequestInit, until?: (next: string) => boolean): Promise<Landing>
}

interface Landing {
  readonly url: string
  readonly response: Response
}

const hopsMax = 20

/** @param hosts where the hosts of an address really are: `https://app.test` to `http://127.0.0.1:1234` */
export function scriptedBrowser(hosts: Readonly<Record<string, string>>): ScriptedBrowser {
  const cookies = new Map<string, Map<string, string>>()
  const jarOf = (url: string) => {
    const { origin } = new URL(url)
    const jar = cookies.get(origin) ?? new Map<string, string>()
    cookies.set(origin, jar)
    return jar
  }
  const keep = (url: string, response: Response) => {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      const gone = attributes.some((one) => /^max-age=0$/i.test(one) || /^expires=Thu, 01 Jan 1970/i.test(one))
      if (gone) jarOf(url).delete(name)
      else jarOf(url).set(name, pair.slice(name.length + 1))
    }
  }
  const browser: ScriptedBrowser = {
    cookies,
    async ask(url, init = {}) {
      const { origin, pathname, search } = new URL(url)
      const headers = new Headers(init.headers)
      const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
      if (cookie !== '') headers.set('Cookie', cookie)
      const real = `${hosts[origin] ?? origin}${pathname}${search}`
      const response = await fetch(real, { ...init, headers, redirect: 'manual' })
      keep(url, response)
      return response
    },
    async follow(url, init, until = () => false) {
      let at = url
      let response = await browser.ask(at, init)
      for (let hop = 0; hop < hopsMax; hop += 1) {
        const location = response.headers.get('location')
        if (location === null) return { url: at, response }
        at = new URL(location, at).href
        if (until(at)) return { url: at, response }
        response = await browser.ask(at)
      }
      throw new Error(`More than ${hopsMax} redirects, the last to ${at}`)
    },
  }
  return browser
}

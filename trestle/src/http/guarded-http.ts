import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { addressKind } from './address-kind.ts'
import { createHttpClient } from './client.ts'
import { type ClientResponse, type HeaderFields, type Headers, HttpError, type Resolve } from './message.ts'

/** What may be asked, and for how long. */
export interface GuardedHttpOptions {
  /** Loopback and private networks may be asked too; link-local and metadata addresses never. Default false. */
  readonly allowPrivateNetworks?: boolean
  /** For the whole exchange, redirects and body included; default 5,000. */
  readonly timeoutMs?: number
  /** Of a reply; default 1 MiB. */
  readonly bodyMaxBytes?: number
  /** Redirects that a GET follows, each checked like the first address; default 0. */
  readonly redirectsMax?: number
  /** Default: the system's resolver. */
  readonly resolve?: Resolve
}

/** A request to an address that somebody wrote into a configuration, a form or a token. */
export interface GuardedRequest {
  /** `https://host/path` or `http://host/path`, without a user. */
  readonly url: string
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: HeaderFields
  readonly body?: Uint8Array | string
  readonly signal?: AbortSignal
}

/** A whole reply. */
export interface GuardedReply {
  /** Where it came from, after redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Asks addresses that come from elsewhere, and none that must not be asked. Whoever makes one closes it. */
export interface GuardedHttp {
  /**
   * @throws HttpError `address_refused` for a place that must not be asked, `redirect_refused` for a redirect too many,
   * and those of `HttpClient`
   */
  request(request: GuardedRequest): Promise<GuardedReply>
  close(): Promise<void>
}

const redirects = new Set([301, 302, 303, 307, 308])
/** Meant for the host that was named, not for the one that it points to. */
const personal = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * Makes a client for addresses that come from elsewhere: key sets, imports, webhooks. It asks no loopback, private,
 * link-local or metadata address, whatever form it is written in; a host name's addresses are checked and the connection
 * goes to the checked ones; a redirect is refused or checked in the same way.
 * @example const keys = await guardedHttp({ bodyMaxBytes: 65_536 }).request({ url: 'https://login.example.com/jwks' })
 */
export function guardedHttp(options: GuardedHttpOptions = {}): GuardedHttp {
  const { timeoutMs = 5_000, bodyMaxBytes = 1_048_576, redirectsMax = 0, resolve = systemResolver } = options
  const check = checkBy(options.allowPrivateNetworks ?? false)
  const client = createHttpClient({
    connectionsMax: 16,
    connectTimeoutMs: timeoutMs,
    async resolve(hostname) {
      const addresses = await resolve(hostname)
      for (const address of addresses) check(address, hostname)
      return addresses
    },
  })

  const send = (request: GuardedRequest, url: URL, headers: HeaderFields, signal: AbortSignal) =>
    client.request({
      method: request.method ?? 'GET',
      origin: url.origin,
      target: `${url.pathname}${url.search}`,
      headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
      timeoutMs,
    })

  return {
    async request(request) {
      const own = new AbortController()
      const late = () =>
        own.abort(new HttpError('timeout', `No whole reply from ${request.url} within ${timeoutMs} ms`))
      const timer = setTimeout(late, timeoutMs)
      const signal = request.signal === undefined ? own.signal : AbortSignal.any([own.signal, request.signal])
      let url = checkedUrl(request.url, check)
      let headers = request.headers ?? []
      try {
        for (let hop = 0; ; hop += 1) {
          const response = await send(request, url, headers, signal)
          if (!redirects.has(response.status)) {
            const body = await response.bytes(bodyMaxBytes)
            return { url: url.href, status: response.status, headers: response.headers, body }
          }
          const next = await redirectOf(response, url)
          if (hop >= redirectsMax || (request.method ?? 'GET') !== 'GET') {
            throw new HttpError('redirect_refused', `${url.origin} redirects to ${next.origin}`)
          }
          checkedUrl(next.href, check)
          if (next.origin !== url.origin) headers = headers.filter(([name]) => !personal.has(name.toLowerCase()))
          url = next
        }
      } catch (error) {
        throw refusalWithin(error) ?? (signal.aborted && signal.reason instanceof HttpError ? signal.reason : error)
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => client.close(),
  }
}

type Check = (address: string, named: string) => void

function checkBy(allowPrivate: boolean): Check {
  return (address, named) => {
    const kind = addressKind(address)
    if (kind === 'public' || (kind === 'private' && allowPrivate)) return
    const remedy = kind === 'private' ? '; allowPrivateNetworks: true allows it' : ''
    throw new HttpError('address_refused', `${named} leads to ${address}, a ${kind} address${remedy}`)
  }
}

/** The URL parser has already turned decimal, octal and hexadecimal forms of an address into the usual one. */
function checkedUrl(text: string, check: Check): URL {
  const url = URL.parse(text)
  if (url === null) throw new HttpError('address_refused', `${JSON.stringify(text)} is no URL`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new HttpError('address_refused', `${url.protocol} is neither https: nor http:`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new HttpError('address_refused', `The address at ${url.host} has a user in it`)
  }
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0) check(literal, url.host)
  return url
}

async function redirectOf(response: ClientResponse, from: URL): Promise<URL> {
  const location = response.headers.get('location') ?? ''
  await response.discard()
  const next = URL.parse(location, from.href)
  if (next === null) throw new HttpError('redirect_refused', `${from.origin} redirects to nowhere`)
  return next
}

/** What our resolver refused comes back wrapped in an error of the connection. */
function refusalWithin(error: unknown): HttpError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof HttpError && at.code === 'address_refused') return at
  }
  return undefined
}

const systemResolver: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true })
  return found.map(({ address }) => address)
}

import { access } from '../access/contract.ts'
import { refused } from '../reply/problem-response.ts'
import type { Authenticator, CredentialSource } from './authenticator.ts'
import { parameterValues } from './query-credential.ts'

/** Where keys are looked for, and how much of them is remembered. */
export interface ApiKeysOptions {
  /** The header that carries the key; `false`: none. Default `X-Api-Key`. */
  readonly header?: string | false
  /** A query parameter that carries the key: `api_key`. Default: none, because addresses are written down in many places. */
  readonly query?: string
  /** Whether `Authorization: Bearer trs_...` carries one, too. Default true. */
  readonly bearer?: boolean
  /** Said in `WWW-Authenticate`; default `trestle`. */
  readonly realm?: string
  /** Keys that one gateway process remembers, and as many secrets that are none; default 10,000, about 5 MB. */
  readonly cacheMax?: number
  /**
   * While the service of keys cannot be reached: for how long keys that were seen before go on, though a revocation would
   * not be noticed. Others are 503. Default 60,000; 0: none goes on.
   */
  readonly staleMaxMs?: number
}

/** Begins every key. */
const mark = 'trs_'

/**
 * Lets in who shows an API key made by `trestle keys create` or the contract `access`. A mistyped key is refused by its
 * checksum, unasked; a revoked or changed one is noticed within a second in every gateway. The caller is of kind `key`,
 * with the key's id, owner (`tenant`), plan and scopes. The key is passed on to nobody and stands in no log.
 * @throws TypeError when keys could be nowhere, or a name is none
 * @example gateway({ authenticate: [apiKeys({ query: 'api_key' })], routes: [expose(lookup)] })
 */
export function apiKeys(options: ApiKeysOptions = {}): Authenticator {
  const {
    header = 'X-Api-Key',
    query,
    bearer = true,
    realm = 'trestle',
    cacheMax = 10_000,
    staleMaxMs = 60_000,
  } = options
  check(options)
  const headerName = header === false ? undefined : header.toLowerCase()
  const find = ({ authorization, headers, query: raw }: CredentialSource): string | undefined => {
    let found: string | undefined
    if (headerName !== undefined && headers.has(headerName)) {
      for (const value of headers.getAll(headerName)) found = same(found, value)
    }
    if (query !== undefined && raw !== '') {
      for (const value of parameterValues(raw, query)) found = same(found, value)
    }
    if (bearer && authorization?.scheme === 'bearer' && authorization.credential.startsWith(mark)) {
      found = same(found, authorization.credential)
    }
    return found
  }
  return {
    kind: 'authenticator',
    name: 'api-keys',
    challenge: bearer ? { scheme: 'bearer', realm } : undefined,
    uses: { access },
    carriers: {
      headers: headerName === undefined ? [] : [headerName],
      query: query === undefined ? [] : [query],
      authorization: bearer,
    },
    securitySchemes: {
      ...(header === false ? {} : { apiKey: { type: 'apiKey', in: 'header', name: header } }),
      ...(query === undefined ? {} : { apiKeyInQuery: { type: 'apiKey', in: 'query', name: query } }),
      ...(bearer ? { bearer: { type: 'http', scheme: 'bearer' } } : {}),
    },
    find,
    async open(context) {
      const { openApiKeys } = await import('./open-api-keys.ts')
      return openApiKeys(await context.access(), context, { cacheMax, staleMaxMs })
    },
  }
}

/** Two keys in one request: nobody guesses which one is meant. */
function same(found: string | undefined, value: string): string {
  if (found === undefined || found === value) return value
  throw refused('bad_request', { detail: 'The request carries two different API keys' })
}

function check({ header, query, bearer, realm, cacheMax = 1, staleMaxMs = 0 }: ApiKeysOptions): void {
  if (header === false && query === undefined && bearer === false) {
    throw new TypeError('apiKeys: keys could be nowhere; give it a header, a query parameter or bearer: true')
  }
  if (typeof header === 'string' && (!/^[A-Za-z0-9-]{1,64}$/.test(header) || /^authorization$/i.test(header))) {
    throw new TypeError(
      `apiKeys: ${JSON.stringify(header)} is no header for keys; for Authorization write bearer: true`,
    )
  }
  if (query !== undefined && !/^[A-Za-z0-9_.~-]{1,64}$/.test(query)) {
    throw new TypeError(`apiKeys: ${JSON.stringify(query)} is no name of a query parameter`)
  }
  if (realm !== undefined && !/^[A-Za-z0-9 ._-]{1,80}$/.test(realm)) {
    throw new TypeError('apiKeys: a realm has letters, digits, space, dot, hyphen and underscore')
  }
  if (!Number.isInteger(cacheMax) || cacheMax < 1 || cacheMax > 1_000_000) {
    throw new TypeError(`apiKeys: cacheMax is a whole number from 1 to 1,000,000, not ${cacheMax}`)
  }
  if (!(staleMaxMs >= 0 && staleMaxMs <= 86_400_000)) {
    throw new TypeError(`apiKeys: staleMaxMs is from 0 to 86,400,000, not ${staleMaxMs}`)
  }
}

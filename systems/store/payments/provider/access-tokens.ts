import { encodeBytes } from 'trestle/contract'
import { isCallError } from 'trestle/service'
import type { ProviderArgs } from './provider.ts'

/** Who the store is for the payment system. */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/** Renewed so long before it ends, that none ends on its way. */
const renewBeforeMs = 60_000
const developmentSecret = 'store-development-secret'

/**
 * The store's client of the payment system, from `PAYMENTS_CLIENT_ID` and `PAYMENTS_CLIENT_SECRET`.
 * @throws RangeError in production when the secret is not set
 */
export function clientCredentials(env: Readonly<Record<string, string | undefined>> = process.env): ClientCredentials {
  const { PAYMENTS_CLIENT_ID: id = 'store', PAYMENTS_CLIENT_SECRET: secret, NODE_ENV } = env
  if (secret === undefined && NODE_ENV === 'production') throw new RangeError('PAYMENTS_CLIENT_SECRET is not set')
  return { id, secret: secret ?? developmentSecret }
}

/** Asks something of the payment system in the store's name. */
export type AsClient = <T>(args: ProviderArgs, ask: (authorization: string) => Promise<T>) => Promise<T>

interface Kept {
  readonly authorization: Promise<string>
  readonly isOld: () => boolean
}

/** Keeps the access token, for all requests of this process, and gets a new one when it ends or is refused. */
export function createAsClient(credentials: ClientCredentials): AsClient {
  let kept: Kept | undefined
  const forget = (token: Kept) => {
    if (kept === token) kept = undefined
  }
  const current = (args: ProviderArgs) => {
    if (kept !== undefined && !kept.isOld()) return kept
    const token = askToken(args, credentials)
    token.authorization.catch(() => forget(token))
    kept = token
    return token
  }
  return async (args, ask) => {
    const token = current(args)
    try {
      return await ask(await token.authorization)
    } catch (error) {
      if (!isCallError(error) || error.code !== 'unauthenticated') throw error
      forget(token)
      return await ask(await current(args).authorization)
    }
  }
}

function askToken({ call, now }: ProviderArgs, { id, secret }: ClientCredentials): Kept {
  const basic = Buffer.from(`${id}:${secret}`).toString('base64')
  const form = encodeBytes(new TextEncoder().encode('grant_type=client_credentials'))
  let untilMs = Number.POSITIVE_INFINITY
  const authorization = call.provider.token({ authorization: `Basic ${basic}`, form }).then((token) => {
    untilMs = now() + token.expires_in * 1_000 - renewBeforeMs
    return `Bearer ${token.access_token}`
  })
  return { authorization, isOld: () => untilMs <= now() }
}

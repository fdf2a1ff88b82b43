/** The merchant that exists without being onboarded: the store that runs beside this system. */
export const storeMerchant = 'store'

interface StoreClient {
  readonly clientId: string
  readonly clientSecret: string
}

type Env = Readonly<Record<string, string | undefined>>

const developmentSecret = 'store-development-secret'
/** Secrets that people make up are guessed; this one is to come out of a generator. */
const secretCharactersMin = 32

/** Whether this is not for real: what is convenient and known to everybody may hold. */
function inDevelopment(env: Env = process.env): boolean {
  return env['NODE_ENV'] !== 'production'
}

/**
 * The client of the store, from `PAYMENTS_STORE_CLIENT_ID` and `PAYMENTS_STORE_CLIENT_SECRET`. In development there is
 * always one; in production only where both are set.
 * @throws RangeError in production for a secret that is short or that everybody knows
 */
export function storeClient(env: Env = process.env): StoreClient | undefined {
  const { PAYMENTS_STORE_CLIENT_ID: clientId, PAYMENTS_STORE_CLIENT_SECRET: clientSecret } = env
  if (inDevelopment(env)) {
    return { clientId: clientId || 'store', clientSecret: clientSecret || developmentSecret }
  }
  if (!clientId || !clientSecret) return undefined
  if (clientSecret === developmentSecret || clientSecret.length < secretCharactersMin) {
    throw new RangeError(
      `PAYMENTS_STORE_CLIENT_SECRET must be ${secretCharactersMin} characters or more that nobody knows, in production`,
    )
  }
  return { clientId, clientSecret }
}

/**
 * Whether the switches for tests may be moved.
 * @throws RangeError in production, where nothing may fail on purpose
 */
export function switchesAreOn(env: Env = process.env): boolean {
  if (env['PAYMENTS_SWITCHES'] !== 'on') return false
  if (!inDevelopment(env)) throw new RangeError('PAYMENTS_SWITCHES=on is for tests, and refused in production')
  return true
}

/** Whether webhooks may lead to loopback and private networks: where the merchant runs on the same machine. */
export function privateWebhooksAllowed(env: Env = process.env): boolean {
  const said = env['PAYMENTS_WEBHOOKS_PRIVATE']
  return said === undefined || said === '' ? inDevelopment(env) : said === 'on'
}

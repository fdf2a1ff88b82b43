import { type Authenticator, authenticator } from 'trestle/gateway'
import { isCallError } from 'trestle/service'
import { identity } from './identity/contract.ts'
import { isClientToken } from './identity/secrets.ts'
import { wallets } from './wallets/contract.ts'
import { isPayerToken } from './wallets/sessions.ts'

const realm = 'payments'

/** Knows clients of merchants by their tokens. Asked each time: a token that was ended is ended. */
export const clientTokens = authenticator({
  name: 'client-tokens',
  scheme: 'bearer',
  realm,
  uses: { identity },
  recognises: isClientToken,
  async authenticate({ credential, call }) {
    try {
      const { client_id, merchant_id, scopes } = await call.identity.introspect({ token: credential })
      return { kind: 'key', id: client_id, tenant: merchant_id, scopes }
    } catch (error) {
      if (isCallError(error, identity.operations.introspect) && error.code === 'token_invalid') return undefined
      throw error
    }
  },
})

/** Knows payers by their tokens. */
export const payerTokens = authenticator({
  name: 'payer-tokens',
  scheme: 'bearer',
  realm,
  uses: { wallets },
  recognises: isPayerToken,
  async authenticate({ credential, call }) {
    try {
      const { payer_id } = await call.wallets.verify({ token: credential })
      return { kind: 'user', id: payer_id, scopes: ['payer'] }
    } catch (error) {
      if (isCallError(error, wallets.operations.verify) && error.code === 'session_invalid') return undefined
      throw error
    }
  },
})

const secrets = authenticator({
  name: 'client-secrets',
  scheme: 'basic',
  realm,
  uses: { identity },
  async authenticate({ credential, call }) {
    const given = basicOf(credential)
    if (given === undefined) return undefined
    try {
      const { client_id, merchant_id } = await call.identity.verifyClient(given)
      return { kind: 'key', id: client_id, tenant: merchant_id, scopes: ['token'] }
    } catch (error) {
      if (isCallError(error, identity.operations.verifyClient) && error.code === 'client_invalid') return undefined
      throw error
    }
  },
})

/** Knows clients by id and secret, for nothing but getting and ending tokens. Source: RFC 7617. */
export const clientSecrets: Authenticator = {
  ...secrets,
  securitySchemes: { clientSecret: { type: 'http', scheme: 'basic', description: 'For `/v1/oauth2/` alone' } },
}

/** Our ids and secrets have no character that a form would escape, so they stand there as they are. */
function basicOf(credential: string): { client_id: string; client_secret: string } | undefined {
  const text = /^[A-Za-z0-9+/]+={0,2}$/.test(credential) ? Buffer.from(credential, 'base64').toString() : ''
  const colon = text.indexOf(':')
  if (colon < 1) return undefined
  const [client_id, client_secret] = [text.slice(0, colon), text.slice(colon + 1)]
  // Neither has what a database does not take as text, such as U+0000.
  return [client_id, client_secret].every((part) => /^[\x20-\x7e]{0,200}$/.test(part))
    ? { client_id, client_secret }
    : undefined
}

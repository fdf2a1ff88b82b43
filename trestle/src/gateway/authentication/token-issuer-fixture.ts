import { exportJWK, type CryptoKey, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { HttpServer } from '../../http/message.ts'
import { serve } from '../../http/serve.ts'

interface SigningKey {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

export async function signingKey(kid: string | undefined, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid === undefined ? {} : { kid }) }
  return { privateKey, publicKey, jwk }
}

/** An issuer for tests: signs what it is told to, and shows the keys that it is told to. */
export interface TokenIssuer extends AsyncDisposable {
  readonly url: string
  readonly audience: string
  /** What the key set says from now on. */
  keys: readonly JWK[]
  /** Answers 500 while true. */
  down: boolean
  /** Where the discovery document says that the keys are; default: where they are. */
  jwksUri: string | undefined
  /** Requests for the key set. */
  readonly fetches: number
  sign(key: SigningKey, claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

const json = (value: unknown) => ({ status: 200, headers: [], body: JSON.stringify(value) })

/** @param now wall clock, milliseconds */
export async function tokenIssuer(now: () => number): Promise<TokenIssuer> {
  let fetches = 0
  const server: HttpServer = await serve({
    host: '127.0.0.1',
    port: 0,
    handler({ target }) {
      if (target === '/keys') fetches += 1
      if (issuer.down) return { status: 500, headers: [] }
      if (target === '/keys') return json({ keys: issuer.keys })
      if (target === '/elsewhere') return { status: 302, headers: [['Location', '/keys']] }
      if (target !== '/.well-known/openid-configuration') return { status: 404, headers: [] }
      return json({ issuer: issuer.url, jwks_uri: issuer.jwksUri ?? `${issuer.url}/keys` })
    },
  })
  const issuer: TokenIssuer = {
    url: `http://127.0.0.1:${server.port}`,
    audience: 'https://api.example.com',
    keys: [],
    down: false,
    jwksUri: undefined,
    get fetches() {
      return fetches
    },
    async sign({ privateKey, jwk: { kid, alg } }, claims = {}, header = {}) {
      const seconds = Math.floor(now() / 1_000)
      const all = { iss: issuer.url, aud: issuer.audience, sub: 'alice', iat: seconds, exp: seconds + 300, ...claims }
      const named = kid === undefined ? {} : { kid }
      return await new SignJWT(all)
        .setProtectedHeader({ alg: alg ?? 'ES256', ...named, ...header })
        .sign(privateKey, { crit: { x: true } })
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
  return issuer
}

/** Somebody with an account at the payment system and money in it. */
export interface Buyer {
  readonly payerId: string
  readonly email: string
  readonly name: string
  readonly token: string
}

/** The payment system beside the store, as its payers and its testers see it. */
export interface PaymentSystem {
  newBuyer(balance: string): Promise<Buyer>
  /** What the page behind an order's `approveUrl` does. */
  approve(buyer: Buyer, approveUrl: string): Promise<void>
  /** What a buyer has, as text. */
  balanceOf(buyer: Buyer): Promise<string>
  /** Makes it misbehave; what is not named is off. */
  misbehave(how: Readonly<Record<string, unknown>>): Promise<void>
}

const client = Buffer.from('store:store-development-secret').toString('base64')

/** Speaks with the payment system at `url` over HTTP. Its switches must be on: `PAYMENTS_SWITCHES=on`. */
export async function paymentSystemAt(url: string): Promise<PaymentSystem> {
  const tokens = await ask(`${url}/v1/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${client}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  })
  const as = (token: string, method: string, path: string, body?: unknown) =>
    ask(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const tester = tokens.access_token as string
  return {
    async newBuyer(value) {
      const name = `Payer ${crypto.randomUUID()}`
      const balance = { currency_code: 'EUR', value }
      const made = await as(tester, 'POST', '/test/payers', { balance, name })
      return { payerId: made.payer_id, email: made.email, name, token: made.access_token }
    },
    async approve({ token }, approveUrl) {
      const id = new URL(approveUrl).searchParams.get('token')
      await as(token, 'POST', `/v2/checkout/orders/${id}/approve`, {})
    },
    balanceOf: async ({ token }) => JSON.stringify((await as(token, 'GET', '/v1/wallets/me')).balances),
    async misbehave(how) {
      await as(tester, 'PUT', '/test/switches', how)
    },
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
async function ask(url: string, init: RequestInit): Promise<any> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${init.method} ${url} answered ${response.status}: ${text.slice(0, 500)}`)
  return text === '' ? undefined : JSON.parse(text)
}

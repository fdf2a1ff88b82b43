/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- the journey reads replies as an outside client does: untyped JSON
  readonly body: any
}

export interface Question {
  readonly body?: unknown
  readonly token?: string
  readonly key?: string
}

/** Asks the gateway. */
export type Ask = (method: string, path: string, question?: Question) => Promise<Answer>

const askTimeoutMs = 15_000

/** A client of the gateway at `url`. */
export function clientOf(url: string): Ask {
  return async (method, path, { body, token, key } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'x-api-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(askTimeoutMs),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
  }
}

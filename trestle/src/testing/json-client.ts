/** What came back. */
export interface JsonAnswer {
  readonly status: number
  readonly headers: Headers
  /** `undefined` when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
  readonly body: any
}

/** What goes with a request; all of it may be left out. */
export interface JsonQuestion {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent in place of a JSON body, as a form of a browser is. */
  readonly form?: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Asks an API. Rejects when there is no whole answer, or one that is no JSON. */
export type AskJson = (method: string, path: string, question?: JsonQuestion) => Promise<JsonAnswer>

const usualTimeoutMs = 60_000

/**
 * A client of the API at `url` as others write one: it knows nothing of contracts and reads untyped JSON. A question without a
 * signal of its own is given up after `timeoutMs`, 60 s unless said otherwise.
 * @example const ask = jsonClient(store.url)
 *   expect(await ask('GET', '/cart', { token })).toMatchObject({ status: 200, body: { lines: [] } })
 */
export function jsonClient(url: string, timeoutMs = usualTimeoutMs): AskJson {
  return async (method, path, { body, form, token, headers, signal } = {}) => {
    const content = form ?? (body === undefined ? undefined : JSON.stringify(body))
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(content === undefined ? {} : { 'content-type': type }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
      signal: signal ?? AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
  }
}

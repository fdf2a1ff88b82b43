/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
  readonly body: any
}

export interface Question {
  readonly body?: unknown
  /** Sent in place of a JSON body. */
  readonly form?: string
  readonly token?: string
  /** `id:secret`. */
  readonly basic?: string
  readonly requestId?: string
  readonly signal?: AbortSignal
}

/** Asks the gateway. */
export type Ask = (method: string, path: string, question?: Question) => Promise<Answer>

const askTimeoutMs = 60_000

/** A client of the gateway at `url`. */
export function clientOf(url: string): Ask {
  return async (method, path, { body, form, token, basic, requestId, signal } = {}) => {
    const content = form ?? (body === undefined ? undefined : JSON.stringify(body))
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(content === undefined ? {} : { 'content-type': type }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
        ...(requestId === undefined ? {} : { 'pay-request-id': requestId }),
      },
      ...(content === undefined ? {} : { body: content }),
      signal: signal ?? AbortSignal.timeout(askTimeoutMs),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
  }
}

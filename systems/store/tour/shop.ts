/** A small HTTP client for the store that tells what it asked and what came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- the tour reads replies as an outside client does: untyped JSON
  readonly body: any
}

export interface Shop {
  readonly url: string
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
}

export interface AskOptions {
  readonly body?: unknown
  readonly token?: string
  readonly key?: string
  /** Called with the question and the answer; nothing is told by default. */
  readonly tell?: (question: string, answer: Answer) => void
}

const askTimeoutMs = 15_000

/** A client of the gateway at `url`. */
export function shopAt(url: string): Shop {
  return {
    url,
    async ask(method, path, { body, token, key, tell } = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(askTimeoutMs),
      })
      const text = await response.text()
      const answer = {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      }
      tell?.(question(method, path, body), answer)
      return answer
    },
  }
}

function question(method: string, path: string, body: unknown): string {
  const shown = body === undefined ? '' : ` ${JSON.stringify(body).replace(/("password":)"[^"]*"/, '$1"…"')}`
  return `${method} ${path}${shown}`
}

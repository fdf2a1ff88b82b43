import { type JsonAnswer, jsonClient, type JsonQuestion } from 'trestle/testing'

/** A client of the store that tells what it asked and what came back. */
export interface Shop {
  readonly url: string
  ask(method: string, path: string, options?: AskOptions): Promise<JsonAnswer>
}

export interface AskOptions extends Pick<JsonQuestion, 'body' | 'token'> {
  readonly key?: string
  /** Called with the question and the answer; nothing is told by default. */
  readonly tell?: (question: string, answer: JsonAnswer) => void
}

const askTimeoutMs = 15_000

/** A client of the gateway at `url`. */
export function shopAt(url: string): Shop {
  const ask = jsonClient(url, askTimeoutMs)
  return {
    url,
    async ask(method, path, { key, tell, ...given } = {}) {
      const headers = key === undefined ? {} : { 'idempotency-key': key }
      const answer = await ask(method, path, { ...given, headers })
      tell?.(question(method, path, given.body), answer)
      return answer
    },
  }
}

function question(method: string, path: string, body: unknown): string {
  const shown = body === undefined ? '' : ` ${JSON.stringify(body).replace(/("password":)"[^"]*"/, '$1"…"')}`
  return `${method} ${path}${shown}`
}

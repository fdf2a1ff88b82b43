import { type JsonAnswer, jsonClient, type JsonQuestion } from 'trestle/testing'

export interface Question extends Pick<JsonQuestion, 'body' | 'token'> {
  readonly key?: string
}

/** Asks the gateway. */
export type Ask = (method: string, path: string, question?: Question) => Promise<JsonAnswer>

const askTimeoutMs = 15_000

/** A client of the gateway at `url`. */
export function clientOf(url: string): Ask {
  const ask = jsonClient(url, askTimeoutMs)
  return (method, path, { key, ...question } = {}) =>
    ask(method, path, { ...question, ...(key === undefined ? {} : { headers: { 'x-api-key': key } }) })
}

import { type JsonAnswer, jsonClient, type JsonQuestion } from 'trestle/testing'

export interface Question extends Omit<JsonQuestion, 'headers'> {
  /** `id:secret`. */
  readonly basic?: string
  readonly requestId?: string
}

/** Asks the gateway. */
export type Ask = (method: string, path: string, question?: Question) => Promise<JsonAnswer>

/** A client of the gateway at `url`. */
export function clientOf(url: string): Ask {
  const ask = jsonClient(url)
  return (method, path, { basic, requestId, ...question } = {}) => {
    const headers = {
      ...(basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
      ...(requestId === undefined ? {} : { 'pay-request-id': requestId }),
    }
    return ask(method, path, { ...question, headers })
  }
}

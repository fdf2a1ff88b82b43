import { headersFrom } from '../../http/header-list.ts'
import type { Headers, HttpResponse } from '../../http/message.ts'
import type { Advice } from '../policy/policy.ts'
import type { ClientTokens } from './client-tokens.ts'

/** Sends requests on with the gateway's own token. */
export function authorized(tokens: ClientTokens): Advice {
  return async (request, next): Promise<HttpResponse> => {
    const token = await tokens.token()
    request.headers = withToken(request.headers, token)
    const response = await next(request)
    if (response.status === 401) tokens.doubt(token)
    return response
  }
}

function withToken(headers: Headers, token: string): Headers {
  const fields = [...headers.entries()].flatMap(([name, value]) => (name === 'authorization' ? [] : [name, value]))
  return headersFrom([...fields, 'authorization', `Bearer ${token}`])
}

import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { serve } from '../../http/serve.ts'

/** An issuer of which a test decides each answer. */
export interface ScriptedIssuer extends AsyncDisposable {
  readonly url: string
  /** Bodies of the requests for tokens and about tokens. */
  readonly asked: URLSearchParams[]
  answer: (asked: URLSearchParams) => HttpResponse | Promise<HttpResponse>
}

export function json(value: unknown, status = 200): HttpResponse {
  return { status, headers: [['Content-Type', 'application/json']], body: JSON.stringify(value) }
}

export async function scriptedIssuer(answer: ScriptedIssuer['answer']): Promise<ScriptedIssuer> {
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    async handler({ target, body }: HttpRequest) {
      const { url } = issuer
      if (target === '/.well-known/openid-configuration') {
        return json({ issuer: url, token_endpoint: `${url}/token`, introspection_endpoint: `${url}/introspect` })
      }
      const asked = new URLSearchParams(Buffer.from(await body.bytes(10_000)).toString())
      issuer.asked.push(asked)
      return await issuer.answer(asked)
    },
  })
  const issuer: ScriptedIssuer = {
    url: `http://127.0.0.1:${server.port}`,
    asked: [],
    answer,
    [Symbol.asyncDispose]: () => server.close(),
  }
  return issuer
}

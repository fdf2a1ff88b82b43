import { Agent, request } from 'node:http'

/** What came back. */
export interface WebReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  // oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
  readonly body: any
}

export interface WebRequest {
  readonly body?: unknown
  /** In place of JSON. */
  readonly form?: Readonly<Record<string, string>>
  readonly token?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The client's own address; every one in 127.0.0.0/8 is this machine's. */
  readonly localAddress?: string
}

const connectionsMax = 200
const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })

/** Asks an HTTP API as an outside client. Rejects when there is no whole answer. */
export function ask(method: string, url: string, options: WebRequest = {}): Promise<WebReply> {
  const { body, form, token, key, signal, localAddress } = options
  const text =
    form === undefined ? (body === undefined ? undefined : JSON.stringify(body)) : String(new URLSearchParams(form))
  const headers = {
    ...(text === undefined
      ? {}
      : {
          'content-type': form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(text)),
        }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...options.headers,
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers,
        ...(signal === undefined ? {} : { signal }),
        ...(localAddress === undefined ? { agent } : { localAddress, agent: false }),
      },
      (response) => {
        let said = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          said += chunk
        })
        response.on('error', reject)
        response.on('aborted', () => reject(new Error('the answer broke off')))
        response.on('end', () => {
          const read = parsed(said)
          if (read === broken) reject(new Error('the answer is no JSON'))
          else resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read })
        })
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

const broken = Symbol('no JSON')

function parsed(text: string): unknown {
  if (text === '' || text.startsWith('<')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return broken
  }
}

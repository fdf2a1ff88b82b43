import type {
  HttpClient,
  HttpClientOptions,
  HttpHandler,
  HttpLimits,
  HttpRequest,
  HttpServer,
  ServeOptions,
} from '../message.ts'

/** What is put to the test. */
export interface HttpEngine {
  readonly serve: (options: ServeOptions) => Promise<HttpServer>
  readonly createHttpClient: (options?: HttpClientOptions) => HttpClient
}

/** A server that ends with the test. */
export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly server: HttpServer
  /** What handlers threw. */
  readonly errors: unknown[]
}

export async function start(
  engine: HttpEngine,
  handler: HttpHandler = echo,
  limits: HttpLimits = {},
): Promise<TestServer> {
  const errors: unknown[] = []
  const onHandlerError = (error: unknown) => void errors.push(error)
  const server = await engine.serve({ host: '127.0.0.1', port: 0, handler, limits, onHandlerError })
  return { port: server.port, server, errors, [Symbol.asyncDispose]: () => server.close() }
}

/** Answers with what it understood. */
async function echo(request: HttpRequest) {
  const body = Buffer.from(await request.body.bytes(1_000_000)).toString('latin1')
  return { status: 200, headers: [['X-Seen', 'yes']] as const, body: `${request.method} ${request.target} ${body};` }
}

/** Waits until something holds, at most five seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 5_000
  while (!holds()) {
    if (performance.now() > until) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

import { anyone, scopes } from '../../contract/index.ts'
import type { HttpLimits } from '../../http/message.ts'
import { rawExchange, statusesOf } from '../../http/raw-client.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import type { GatewayOptions } from '../gateway.ts'
import type { RouteSpec } from '../gateway.ts'
import { upstream } from '../upstream/upstream.ts'
import { type RawReply, type RecordingUpstream, recordingUpstream } from './recording-upstream.ts'

/** A gateway before one recording server: `/pub/*` is for anyone, `/admin/*` protected, `/raw/*` allows odd paths. */
export interface ProxiedGateway extends AsyncDisposable {
  readonly bench: Bench
  readonly server: RecordingUpstream
  /** Sends a `GET` on a connection of its own; everything that came back. */
  get(target: string, headers?: string): Promise<string>
  status(target: string, headers?: string): Promise<readonly number[]>
  /** Targets of the requests that the server got, in order. */
  targets(): readonly string[]
}

export interface ProxiedOptions {
  readonly reply?: RawReply
  readonly limits?: HttpLimits
  readonly gateway?: Partial<GatewayOptions>
  readonly more?: (url: string) => readonly RouteSpec[]
}

export async function proxiedGateway({ reply, limits, gateway, more }: ProxiedOptions = {}): Promise<ProxiedGateway> {
  const server = await recordingUpstream(reply)
  const bench = await startBench(undefined, {
    routes: [
      upstream('/pub/*', [server.url], { access: anyone(), retries: 0 }),
      upstream('/admin/*', [server.url], { access: scopes('admin'), retries: 0 }),
      upstream('/raw/*', [server.url], {
        access: anyone(),
        retries: 0,
        stripPrefix: '/raw',
        allowInPath: ['%2F', ';', '%5C'],
      }),
      ...(more?.(server.url) ?? []),
    ],
    ...(limits === undefined ? {} : { limits }),
    ...gateway,
  })
  const get = (target: string, headers = '') =>
    rawExchange(bench.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`)
  return {
    bench,
    server,
    get,
    status: async (target, headers) => statusesOf(await get(target, headers)),
    targets: () => server.requests.map((request) => request.split(' ')[1] ?? ''),
    [Symbol.asyncDispose]: async () => {
      await bench.stop()
      await bench.gateway.close()
      await server.stop()
    },
  }
}

/** Waits until something holds, at most ten seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > until) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

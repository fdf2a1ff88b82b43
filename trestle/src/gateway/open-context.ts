import type { HttpClient } from '../http/message.ts'
import { openAccessLink } from './access/access-link.ts'
import type { GatewayDeps } from './create-gateway.ts'
import type { GatewayContext } from './gateway-context.ts'
import type { GatewaySpec } from './gateway.ts'
import { openLimiter } from './limits/open-limiter.ts'
import { keptFrom } from './reload/kept-state.ts'

type ContextDeps = Pick<GatewayDeps, 'send' | 'clock' | 'random' | 'log' | 'metrics' | 'http' | 'kept'>

/** Opens what the parts of a gateway share; what no part asks for is not opened. */
export function openContext(
  spec: GatewaySpec,
  deps: ContextDeps,
  opened: AsyncDisposableStack,
  atTheEnd: (() => void)[],
): GatewayContext {
  let client: Promise<HttpClient> | undefined
  const openClient = async () => {
    const { createHttpClient } = await import('../http/client.ts')
    const made = createHttpClient()
    opened.defer(() => made.close())
    return made
  }
  let limiter: ReturnType<typeof openLimiter> | undefined
  let accessLink: ReturnType<typeof openAccessLink> | undefined
  const context: GatewayContext = {
    send: deps.send,
    clock: deps.clock,
    random: deps.random ?? Math.random,
    log: deps.log,
    metrics: deps.metrics,
    http: async () => deps.http ?? (client ??= openClient()),
    limiter: () => (limiter ??= openLimiter(spec, context)),
    access: () => (accessLink ??= openAccessLink(context)),
    keep: (deps.kept ?? keptFrom()).keep,
    shared: keptFrom().keep,
    whenOpen: (run) => void atTheEnd.push(run),
    defer: (close) => opened.defer(async () => close()),
  }
  return context
}

import type { Handle } from '../../call/call.ts'
import type { Gateway } from '../../gateway/create-gateway.ts'
import type { GatewaySpec, ServiceReadiness } from '../../gateway/index.ts'
import { createReplaceableGateway } from '../../gateway/reload/replaceable-gateway.ts'
import type { HttpServer } from '../../http/message.ts'
import { serve } from '../../http/serve.ts'
import { accessLog } from '../../telemetry/index.ts'
import type { Clock } from '../../std/clock.ts'
import { portFailed } from '../check-port.ts'
import { StartError } from '../start-error.ts'
import type { Telemetry } from './telemetry.ts'

export interface GatewayDeps {
  readonly spec: GatewaySpec
  readonly systemName: string
  readonly send: Handle
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** How the services stand. */
  readonly services: () => readonly ServiceReadiness[]
}

/** A gateway that listens. */
export interface RunningGateway extends HttpServer {
  /** The one that takes new requests. */
  current(): Gateway
  /** See `ReplaceableGateway`. */
  replace(spec: GatewaySpec): Promise<void>
}

/** Lets the gateway listen. @throws StartError `system_invalid` for a gateway that cannot be, `port_in_use` */
export async function startGateway(
  at: { readonly host: string; readonly port: number },
  deps: GatewayDeps,
): Promise<RunningGateway> {
  const made = await createReplaceableGateway(deps.spec, {
    send: deps.send,
    clock: deps.clock,
    log: deps.telemetry.logFor('gateway'),
    accessLog: accessLog(deps.telemetry.logFor('gateway')),
    metrics: deps.telemetry.metrics,
    readiness: () => ({ ready: true, services: deps.services() }),
    systemName: deps.systemName,
  }).catch(refused)
  const { handler, onRefusal } = made
  try {
    const server = await serve({ handler, onRefusal, host: at.host, port: at.port })
    const closed = async () => {
      await server.close()
      await made.close()
    }
    return {
      ...server,
      close: closed,
      // Services drain next: what the gateway still has to tell them, such as usage, is told before.
      async drain(timeoutMs) {
        await server.drain(timeoutMs)
        await made.close()
      },
      current: () => made.current(),
      replace: (spec) => made.replace(spec),
    }
  } catch (cause) {
    await made.close()
    throw portFailed('gateway', at.host, at.port, cause)
  }
}

/** A description that is wrong is told in its own words, and not as a mistake of ours. Not logged: a file's words may hold secrets. */
function refused(error: unknown): never {
  if (!(error instanceof TypeError)) throw error
  throw new StartError('system_invalid', error.message, { cause: error })
}

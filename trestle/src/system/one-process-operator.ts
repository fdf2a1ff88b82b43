import {
  type Affected,
  type Operator,
  OperatorError,
  type ProcessStatus,
  type ServiceStatus,
  type SystemStatus,
} from '../call/operator.ts'
import type { GatewayReport } from '../call/gateway-report.ts'
import type { Handle } from '../call/call.ts'
import type { Clock } from '../std/clock.ts'
import type { ServiceFacts } from './host/snapshot.ts'
import { mergeMetrics } from '../telemetry/index.ts'
import { operatorCall } from './operator-call.ts'
import { gatewayName, type Placement } from './placement.ts'
import type { System } from './system.ts'

/** What an operator may see of a system in one process. What would need processes of their own is refused, with the remedy. */
export function oneProcessOperator(deps: {
  readonly system: System
  readonly placement: Placement
  readonly facts: readonly ServiceFacts[]
  readonly gatewayUrl: string
  readonly send: Handle
  readonly clock: Clock
  readonly startedAtMs: number
  readonly metricsText: () => string
  readonly report: () => GatewayReport | undefined
}): Operator {
  const { system, placement, clock, facts } = deps
  const services = [...system.services.map((service) => service.name), gatewayName]
  const refuse =
    (what: string) =>
    (service: string): Promise<Affected> =>
      Promise.reject(
        services.includes(service)
          ? notSeparable(system, placement, what, service)
          : new OperatorError('unknown_service', `there is no service '${service}'; there are ${services.join(', ')}`),
      )
  const usage = cpuMeter(clock)

  return {
    scale: refuse('scaled'),
    restart: refuse('restarted'),
    stop: refuse('stopped'),
    start: refuse('started'),
    deploy: refuse('deployed'),
    call: (request) => operatorCall(request, { system, send: deps.send, clock }),
    metrics: async () => mergeMetrics([{ labels: { process: system.name }, text: deps.metricsText() }]),
    gateways: async () => [deps.report()].filter((report) => report !== undefined),
    readiness: async () => ({ ready: true, waitingFor: [] }),
    async status(): Promise<SystemStatus> {
      const uptimeMs = clock.monotonic() - deps.startedAtMs
      const own = {
        process: system.name,
        pid: process.pid,
        state: 'ready',
        uptimeMs,
        restarts: 0,
        memoryBytes: process.memoryUsage.rss(),
        cpuPercent: usage(),
      } as const
      return {
        system: system.name,
        topology: placement.topology,
        pid: process.pid,
        uptimeMs,
        gatewayUrl: deps.gatewayUrl,
        services: services.map((service) => serviceStatus(service, system.name, facts, own)),
      }
    },
  }
}

function serviceStatus(
  service: string,
  group: string,
  facts: readonly ServiceFacts[],
  own: Omit<ProcessStatus, 'version'>,
): ServiceStatus {
  const found = facts.find((each) => each.service === service)
  return {
    service,
    group,
    version: found?.version,
    contracts: found?.contracts ?? [],
    replicas: 1,
    state: 'ready',
    reason: undefined,
    processes: [{ ...own, version: found?.version }],
  }
}

function notSeparable(system: System, placement: Placement, what: string, service: string): OperatorError {
  const others = Object.entries(system.topologies).filter(([, topology]) => topology.kind !== 'one-process')
  const remedy =
    others.length === 0
      ? 'give the system a topology such as processPerService()'
      : `start the system with --topology ${others.map(([name]) => name).join(' or ')}`
  return new OperatorError(
    'not_separable',
    `${service} cannot be ${what} by itself: under the topology '${placement.topology}' all services share one process; ${remedy}`,
  )
}

/** Percent of one core since the last look. */
function cpuMeter(clock: Clock): () => number | undefined {
  let last = { at: clock.monotonic(), cpu: process.cpuUsage() }
  return () => {
    const now = clock.monotonic()
    const { user, system } = process.cpuUsage(last.cpu)
    const percent = (user + system) / 10 / Math.max(1, now - last.at)
    last = { at: now, cpu: process.cpuUsage() }
    return percent
  }
}

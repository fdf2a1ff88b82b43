import type { Cell, HistogramCell, Metrics } from '../telemetry/metrics.ts'

/** What the gateway counts. Labels are templates, methods and statuses, never what a client wrote. */
export interface GatewayMetrics {
  /** Counts one answered request. */
  answered(method: string, route: string | undefined, status: number, durationMs: number): void
  /** Counts one request that was refused before it was understood. */
  refused(status: number): void
  readonly inFlight: { add(by: number): void }
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

interface RouteCells {
  readonly byStatus: Map<number, Cell>
  readonly duration: HistogramCell
}

export function gatewayMetrics(metrics: Metrics): GatewayMetrics {
  const requests = metrics.counter('trestle_gateway_requests_total', {
    help: 'Requests answered, by route, method and status.',
    labels: ['route', 'method', 'status'],
    seriesMax: 20_000,
  })
  const durations = metrics.histogram('trestle_gateway_request_duration_seconds', {
    help: 'From the head of a request to its reply, by route and method, in seconds.',
    labels: ['route', 'method'],
    seriesMax: 10_000,
  })
  const inFlight = metrics.gauge('trestle_gateway_requests_in_flight', { help: 'Requests being answered now.' }).with()
  const cells = new Map<string, Map<string, RouteCells>>()

  const cellsOf = (method: string, route: string): RouteCells => {
    const byMethod = cells.get(route) ?? new Map<string, RouteCells>()
    const known = byMethod.get(method)
    if (known !== undefined) return known
    const made = { byStatus: new Map<number, Cell>(), duration: durations.with(route, method) }
    cells.set(route, byMethod.set(method, made))
    return made
  }
  return {
    inFlight,
    refused: (status) => requests.with('none', 'other', String(status)).add(),
    answered(rawMethod, route, status, durationMs) {
      const method = methods.has(rawMethod) ? rawMethod : 'other'
      const name = route ?? 'none'
      const { byStatus, duration } = cellsOf(method, name)
      let counter = byStatus.get(status)
      if (counter === undefined) byStatus.set(status, (counter = requests.with(name, method, String(status))))
      counter.add()
      duration.observe(durationMs / 1_000)
    },
  }
}

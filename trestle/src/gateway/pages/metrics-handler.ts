import type { HttpHandler } from '../../http/message.ts'
import { metricsContentType } from '../../telemetry/prometheus-text.ts'

/** Answers every request with Prometheus text; for the admin listener. */
export function metricsHandler(collect: () => string | Promise<string>): HttpHandler {
  return async () => ({
    status: 200,
    headers: [
      ['Content-Type', metricsContentType],
      ['Cache-Control', 'no-store'],
    ],
    body: await collect(),
  })
}

import type { HttpClient } from '../../http/message.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { targetOf } from './target.ts'
import type { UpstreamMirror } from './upstream.ts'

/** A request as the mirror gets it, with its whole body. */
export interface MirroredRequest {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: Uint8Array | undefined
}

/** Sends copies; nobody waits for them. */
export interface Mirror {
  /** Whether this request is one of those that are copied. */
  chooses(): boolean
  send(request: MirroredRequest): void
}

/** A copy too many is none: what is mirrored must not slow down what is served. */
const inFlightMax = 64
const timeoutMs = 10_000
const replyMaxBytes = 1_048_576

/** Opens a mirror; its failures are counted and otherwise nobody's concern. */
export function openMirror(
  { to, percent }: Required<UpstreamMirror>,
  deps: { readonly http: HttpClient; readonly metrics: Metrics; readonly random: () => number },
): Mirror {
  const { origin, host, basePath } = targetOf(to)
  const requests = deps.metrics.counter('trestle_gateway_mirrored_total', {
    help: 'Copies of requests, by where they go and what became of them.',
    labels: ['to', 'outcome'],
  })
  const sent = requests.with(origin, 'answered')
  const failed = requests.with(origin, 'failed')
  const dropped = requests.with(origin, 'dropped')
  let inFlight = 0

  const exchange = async ({ method, target, fields, body }: MirroredRequest) => {
    inFlight += 1
    try {
      const reply = await deps.http.request({
        method,
        origin,
        target: basePath + target,
        headers: [['host', host], ...fields],
        ...(body === undefined ? {} : { body }),
        timeoutMs,
      })
      await reply.bytes(replyMaxBytes)
      sent.add()
    } catch {
      failed.add()
    } finally {
      inFlight -= 1
    }
  }
  return {
    chooses: () => deps.random() * 100 < percent,
    send(request) {
      if (inFlight >= inFlightMax) dropped.add()
      else void exchange(request)
    },
  }
}

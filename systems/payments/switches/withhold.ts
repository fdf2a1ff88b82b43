import type { Policy } from 'trestle/gateway'
import { createCalls } from 'trestle/service'
import { switches } from './contract.ts'

/** Which switch looks at which route. */
const steps = new Map<string, 'authorize' | 'capture' | 'refund'>([
  ['orders.authorize', 'authorize'],
  ['orders.capture', 'capture'],
  ['orders.captureAuthorization', 'capture'],
  ['orders.refundCapture', 'refund'],
])

/** After which a client that still waits is told that the time is over. */
const heldMaxMs = 30_000
/** In nobody's name: clients of merchants may not ask the switches how they stand. */
const caller = { kind: 'service', id: 'gateway', scopes: [] } as const

/**
 * For tests: does what is asked, and does not answer. The effect is there, and the client cannot know it.
 * Only where it had one: a request that was refused is answered.
 */
export const withhold: Policy = {
  kind: 'policy',
  name: 'withhold',
  stage: 'resilience',
  open(route, { send, clock }) {
    const step = steps.get(route.name)
    if (step === undefined) return undefined
    const calls = createCalls({ switches }, { from: 'gateway', send, clock })
    return async (request, next) => {
      const response = await next(request)
      if (response.status >= 300) return response
      const { withheld } = await calls({ caller, trace: request.trace }).switches.takeTimeOut({ step })
      if (!withheld) return response
      await aborted(AbortSignal.any([request.http.signal, AbortSignal.timeout(heldMaxMs)]))
      return { status: 504, headers: [] }
    }
  },
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import type { Handle } from '../../call/call.ts'
import { createServiceHandle } from '../../service/create-service-handle.ts'
import type { OperatedDeps } from '../../service/operator/operated-service.ts'
import type { ServiceDeps } from '../../service/deps.ts'

/**
 * Answers an operator's questions about one service. The code for it is loaded with the first one: most processes are
 * never asked.
 */
export function operatedHandle(
  service: string,
  operated: OperatedDeps,
  deps: Pick<ServiceDeps, 'clock' | 'newId' | 'random' | 'log'>,
): Handle {
  let loading: Promise<Handle> | undefined
  const load = async () => {
    const { operatedService } = await import('../../service/operator/operated-service.ts')
    return createServiceHandle(operatedService(service, operated), { ...deps, send: callsNobody, mayCall: () => false })
      .handle
  }
  return async (call) => {
    loading ??= load()
    return (await loading)(call)
  }
}

const callsNobody: Handle = () => Promise.reject(new Error('what an operator asks calls nobody'))

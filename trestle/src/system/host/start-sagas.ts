import type { RunningSagas, SagaDeps } from '../../saga/start-sagas.ts'
import type { ServiceDefinition } from '../../service/service.ts'
import type { Store } from '../../store/store.ts'

export type { RunningSagas }

export type ServiceSagaDeps = Omit<SagaDeps, 'store'> & { readonly store: Store<unknown> | undefined }

/**
 * Brings the sagas of a service to life; `undefined`: it has none, and their code is not loaded.
 * @throws TypeError when it has some and no store
 */
export async function startServiceSagas(
  definition: ServiceDefinition,
  { store, ...deps }: ServiceSagaDeps,
): Promise<RunningSagas | undefined> {
  if (definition.sagas.length === 0) return undefined
  if (store === undefined) throw new TypeError(`${definition.name} has sagas, and they need a store to be kept in`)
  const { startSagas } = await import('../../saga/start-sagas.ts')
  return startSagas(definition.sagas, { ...deps, store })
}

import type { ServiceDefinition } from '../../service/service.ts'

/** Ids of the contracts that a service calls, its sagas included. */
export function usedBy({ uses, sagas }: Pick<ServiceDefinition, 'uses' | 'sagas'>): readonly string[] {
  const all = [uses, ...sagas.map((saga) => saga.uses)].flatMap((each) => Object.values(each))
  return [...new Set(all.map(({ id }) => id))]
}

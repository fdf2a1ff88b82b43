import type { Instance, Registry } from '../call/instance.ts'

export interface WritableRegistry extends Registry {
  /**
   * Puts a new truth in the place of the old one.
   * @param knownContracts every contract (`name@major`) of the system, be it up or down
   */
  replace(instances: readonly Instance[], knownContracts: Iterable<string>): void
}

const none: readonly Instance[] = Object.freeze([])

/** A registry that is told the whole truth at each change. */
export function createRegistry(): WritableRegistry {
  let all: readonly Instance[] = none
  let known: ReadonlySet<string> = new Set()
  let byContract: ReadonlyMap<string, readonly Instance[]> = new Map()
  const listeners = new Set<() => void>()
  return {
    instances: (contract) => byContract.get(contract) ?? none,
    all: () => all,
    knows: (contract) => known.has(contract),
    onChange(listener) {
      // Wrapped, so that the same function may be given twice.
      const own = () => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    replace(instances, knownContracts) {
      all = Object.freeze([...instances])
      byContract = readyByContract(all)
      known = new Set([...knownContracts, ...all.flatMap((instance) => instance.contracts)])
      for (const listener of listeners) listener()
    },
  }
}

function readyByContract(instances: readonly Instance[]): ReadonlyMap<string, readonly Instance[]> {
  const grouped = new Map<string, Instance[]>()
  for (const instance of instances) {
    if (instance.state !== 'ready') continue
    for (const contract of instance.contracts) {
      const group = grouped.get(contract)
      if (group === undefined) grouped.set(contract, [instance])
      else group.push(instance)
    }
  }
  for (const group of grouped.values()) Object.freeze(group)
  return grouped
}

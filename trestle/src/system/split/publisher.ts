import type { Instance } from '../../call/instance.ts'
import type { Clock } from '../../std/clock.ts'
import type { SystemSnapshot } from '../host/snapshot.ts'
import type { Replica } from './replica.ts'

/** Tells every process where the services are. */
export interface Publisher {
  current(): SystemSnapshot
  /** Sends the state of things to all; resolves when all that run have applied it, or after `publishTimeoutMs`. */
  publish(): Promise<void>
  /** A child says that it has applied a snapshot. */
  applied(replica: Replica, id: number): void
}

/** A process that does not apply a snapshot in time is not waited for, milliseconds. */
const publishTimeoutMs = 3_000

export function createPublisher(deps: {
  readonly replicas: () => Iterable<Replica>
  /** Ids of the contracts that the system's definition names. */
  readonly declared: readonly string[]
  readonly clock: Clock
  /** The parent's own view, for the calls of an operator. */
  readonly onSnapshot: (snapshot: SystemSnapshot) => void
}): Publisher {
  const contracts = new Set(deps.declared)
  const waiting = new Set<() => void>()
  let id = 0
  const current = (): SystemSnapshot => snapshotOf(deps.replicas(), contracts)
  const check = () => {
    for (const look of waiting) look()
  }
  return {
    current,
    async publish() {
      const sent = ++id
      const snapshot = current()
      deps.onSnapshot(snapshot)
      for (const replica of deps.replicas()) replica.handle?.send({ kind: 'snapshot', id: sent, snapshot })
      await new Promise<void>((resolve) => {
        const end = () => {
          waiting.delete(look)
          late.cancel()
          resolve()
        }
        const look = () => {
          const open = [...deps.replicas()].some((each) => each.state === 'ready' && each.appliedSnapshot < sent)
          if (!open) end()
        }
        const late = deps.clock.setTimeout(end, publishTimeoutMs)
        waiting.add(look)
        look()
      })
    },
    applied(replica, at) {
      replica.appliedSnapshot = Math.max(replica.appliedSnapshot, at)
      check()
    },
  }
}

function snapshotOf(replicas: Iterable<Replica>, contracts: Set<string>): SystemSnapshot {
  const instances: Instance[] = []
  const uses = new Map<string, Set<string>>()
  for (const replica of replicas) {
    for (const facts of replica.facts) {
      for (const contract of [...facts.contracts, ...facts.feeds]) contracts.add(contract)
      uses.set(facts.service, new Set([...(uses.get(facts.service) ?? []), ...facts.uses, ...facts.reads]))
    }
    instances.push(...instancesOf(replica))
  }
  return {
    instances,
    contracts: [...contracts],
    uses: Object.fromEntries([...uses].map(([service, ids]) => [service, [...ids]])),
  }
}

function instancesOf(replica: Replica): readonly Instance[] {
  const { state, address } = replica
  if (!replica.announced || address === undefined || (state !== 'ready' && state !== 'draining')) return []
  return replica.facts.map(({ service, version, contracts, feeds }) => ({
    id: `${replica.id}.${replica.life}/${service}`,
    service,
    version,
    contracts: [...contracts, ...feeds],
    address,
    state,
  }))
}

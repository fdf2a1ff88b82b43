import type { Group } from '../placement.ts'
import type { Replica } from './replica.ts'

/** A group of the placement while the system runs. */
export interface GroupState {
  readonly name: string
  readonly services: readonly string[]
  readonly gateway: boolean
  /** How many replicas are wanted. */
  wanted: number
  /** An operator stopped it. */
  stopped: boolean
  /** What is being done to it now; one operation at a time. */
  busy: string | undefined
  /** Replica numbers are never used twice. */
  lastNumber: number
  readonly replicas: Set<Replica>
  /** Opens when the groups that it depends on are ready for the first time. */
  readonly gate: PromiseWithResolvers<void>
}

export function newGroupState(group: Group): GroupState {
  const gate = Promise.withResolvers<void>()
  gate.promise.catch(() => {})
  return {
    name: group.name,
    services: group.services,
    gateway: group.gateway,
    wanted: group.replicas,
    stopped: false,
    busy: undefined,
    lastNumber: 0,
    replicas: new Set(),
    gate,
  }
}

/** Names of what runs in the group, the gateway included. */
export function membersOf(group: GroupState): readonly string[] {
  return group.gateway ? [...group.services, 'gateway'] : group.services
}

export function readyReplicas(group: GroupState): readonly Replica[] {
  return [...group.replicas].filter((replica) => replica.state === 'ready')
}

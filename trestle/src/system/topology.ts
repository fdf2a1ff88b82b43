/** Which services share a process, and how many replicas there are. Plain data. */
export type Topology = OneProcess | ProcessPerService | Groups

export interface OneProcess {
  readonly kind: 'one-process'
}

export interface ProcessPerService {
  readonly kind: 'process-per-service'
  readonly replicas: Readonly<Record<string, number>>
}

export interface Groups {
  readonly kind: 'groups'
  /** Group name -> services in it. `gateway` is a service here. */
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly replicas: Readonly<Record<string, number>>
}

/** Replicas of a service or a group, 1..64; default 1. */
export interface ReplicaOptions {
  readonly replicas?: Readonly<Record<string, number>>
}

/** Everything in one process: the gateway, all services, the supervisor. */
export function oneProcess(): OneProcess {
  return { kind: 'one-process' }
}

/**
 * Each service, and the gateway, in a process of its own.
 * @example processPerService({ replicas: { orders: 2, gateway: 2 } })
 */
export function processPerService(options: ReplicaOptions = {}): ProcessPerService {
  return { kind: 'process-per-service', replicas: options.replicas ?? {} }
}

/**
 * A process for each group of services; every service, and `gateway`, in exactly one of them.
 * @example groups({ edge: ['gateway'], core: ['orders', 'inventory'] }, { replicas: { core: 2 } })
 */
export function groups(members: Readonly<Record<string, readonly string[]>>, options: ReplicaOptions = {}): Groups {
  return { kind: 'groups', groups: members, replicas: options.replicas ?? {} }
}

import type { System } from './system.ts'
import type { Groups, Topology } from './topology.ts'

/** The name under which the gateway is placed, scaled and deployed. */
export const gatewayName = 'gateway'

/** The service of keys, plans and quotas, which the platform adds where a gateway asks it. */
export const accessName = 'gateway-access'

/** The name under which an operator's calls arrive. */
export const operatorName = 'operator'

/** Services that run together in each of `replicas` processes. */
export interface Group {
  readonly name: string
  readonly services: readonly string[]
  readonly gateway: boolean
  readonly replicas: number
}

export interface Placement {
  readonly topology: string
  /** `true`: all in the process that starts the system. */
  readonly inThisProcess: boolean
  readonly groups: readonly Group[]
}

/**
 * Where everything goes under a topology.
 * @param name default: the system's first topology
 * @throws TypeError when a service is placed twice or nowhere, or a name is not known
 */
export function placementOf(system: System, name = Object.keys(system.topologies)[0] as string): Placement {
  const topology = system.topologies[name]
  const fail = (what: string): never => {
    throw new TypeError(`system('${system.name}'), topology '${name}': ${what}`)
  }
  if (topology === undefined) {
    return fail(`there is no such topology; there are ${Object.keys(system.topologies).join(', ')}`)
  }
  const groups = groupsOf(system, topology)
  checkMembers(system, groups, fail)
  const replicas = topology.kind === 'one-process' ? {} : topology.replicas
  for (const [group, count] of Object.entries(replicas)) {
    if (!(group in groups)) fail(`replicas names '${group}', which is none of ${Object.keys(groups).join(', ')}`)
    if (!replicasAllowed(count)) fail(`replicas of '${group}' is ${count}, not a whole number from 1 to ${replicasMax}`)
  }
  return {
    topology: name,
    inThisProcess: topology.kind === 'one-process',
    groups: Object.entries(groups).map(([group, members]) => ({
      name: group,
      services: members.filter((member) => member !== gatewayName),
      gateway: members.includes(gatewayName),
      replicas: replicas[group] ?? 1,
    })),
  }
}

export const replicasMax = 64

export function replicasAllowed(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= replicasMax
}

function groupsOf(system: System, topology: Topology): Readonly<Record<string, readonly string[]>> {
  const all = [...system.services.map((service) => service.name), gatewayName]
  if (topology.kind === 'groups') return withAccess(system, topology.groups)
  if (topology.kind === 'one-process') return { [system.name]: all }
  return Object.fromEntries(all.map((service) => [service, [service]]))
}

/** The platform's own service, unless somebody placed it, has a process of its own. */
function withAccess(system: System, groups: Groups['groups']): Groups['groups'] {
  const added = system.services.some((service) => service.name === accessName)
  const placed = Object.values(groups).some((members) => members.includes(accessName))
  return added && !placed ? { ...groups, [accessName]: [accessName] } : groups
}

function checkMembers(
  system: System,
  groups: Readonly<Record<string, readonly string[]>>,
  fail: (what: string) => never,
): void {
  const known = new Set([...system.services.map((service) => service.name), gatewayName])
  const placed = new Map<string, string>()
  for (const [group, members] of Object.entries(groups)) {
    if (members.length === 0) fail(`the group '${group}' is empty`)
    for (const member of members) {
      if (!known.has(member)) fail(`the group '${group}' names '${member}', which is none of ${[...known].join(', ')}`)
      const before = placed.get(member)
      if (before !== undefined) fail(`'${member}' is placed twice: in '${before}' and in '${group}'`)
      placed.set(member, group)
    }
  }
  const missing = [...known].filter((service) => !placed.has(service))
  if (missing.length > 0) fail(`placed nowhere: ${missing.join(', ')}`)
}

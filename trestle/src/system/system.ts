import { access, type GatewaySpec, needsAccess } from '../gateway/index.ts'
import type { BusChoice } from './bus-needs.ts'
import { checkSystem } from './check-system.ts'
import type { Beside } from './beside.ts'
import { type ExternalService, run, type RunService } from './placed-service.ts'
import type { Topology } from './topology.ts'

/** What a system consists of. */
export interface SystemSpec {
  readonly services: readonly (RunService | ExternalService)[]
  readonly gateway: GatewaySpec
  /** How events cross between services; default `embedded`: without a broker. */
  readonly bus?: BusChoice
  /** Other systems that `trestle start` starts with this one, by name. */
  readonly beside?: Readonly<Record<string, Beside>>
  /** By name; the first one is the default. */
  readonly topologies: Readonly<Record<string, Topology>>
}

/** Services, the gateway in front of them, and the ways to place them. Plain data; nothing runs yet. */
export interface System {
  readonly kind: 'system'
  readonly name: string
  readonly services: readonly RunService[]
  readonly externals: readonly ExternalService[]
  readonly gateway: GatewaySpec
  readonly bus: BusChoice
  readonly beside: Readonly<Record<string, Beside>>
  readonly topologies: Readonly<Record<string, Topology>>
}

/**
 * Defines a system. Whatever is wrong with it is an error here that names the place and the remedy.
 * @param name lower case letters, digits and hyphens, at most 40
 * @throws TypeError
 * @example
 * export default system('store', {
 *   services: [run(orders, () => import('./orders/service.ts'))],
 *   gateway: gateway({ routes: [expose(orders)] }),
 *   topologies: { merged: oneProcess(), split: processPerService() },
 * })
 */
export function system(name: string, spec: SystemSpec): System {
  const defined: System = {
    kind: 'system',
    name,
    services: [...spec.services.filter((service) => service.kind === 'run'), ...accessService(spec.gateway)],
    externals: spec.services.filter((service) => service.kind === 'external'),
    gateway: spec.gateway,
    bus: spec.bus ?? 'embedded',
    beside: spec.beside ?? {},
    topologies: spec.topologies,
  }
  checkSystem(defined)
  return defined
}

/** Keys, plans and quotas are a service like any other: the platform adds it when the gateway asks it. */
function accessService(gateway: GatewaySpec | undefined): readonly RunService[] {
  if (gateway === undefined || !needsAccess(gateway)) return []
  return [run(access, () => import('../access/service.ts'))]
}

import type { AnyContract } from '../contract/contract.ts'
import type { ServiceDefinition } from '../service/service.ts'

/** A service of the system: what it implements, and how to get its code when a process is to run it. */
export interface RunService {
  readonly kind: 'run'
  readonly name: string
  readonly contracts: readonly AnyContract[]
  readonly load: () => Promise<{ readonly default: ServiceDefinition }>
  /** Connections to its database that one process may hold. */
  readonly poolMax: number
}

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A service that runs somewhere else and speaks HTTP: its contract, and where it is. */
export interface ExternalService {
  readonly kind: 'external'
  readonly name: string
  readonly contract: AnyContract
  /** From the environment of the process that calls. */
  readonly url: (env: Environment) => string
  readonly headers: Readonly<Record<string, string>>
}

/** How a service runs in this system. */
export interface RunOptions {
  /** Default: the name of the first contract. */
  readonly name?: string
  /** Connections to its database per process, 1..64; default 8. */
  readonly poolMax?: number
}

/**
 * Places a service in the system.
 * @param contracts what it implements; the first one names it
 * @param load imports its code; only a process that runs the service calls this
 * @example run(orders, () => import('./orders/service.ts'))
 */
export function run(
  contracts: AnyContract | readonly [AnyContract, ...AnyContract[]],
  load: () => Promise<{ readonly default: ServiceDefinition }>,
  options: RunOptions = {},
): RunService {
  const list: readonly AnyContract[] = isList(contracts) ? contracts : [contracts]
  const first = list[0]
  if (first === undefined) throw new TypeError('run([]): a service implements at least one contract')
  const { name = first.name, poolMax = 8 } = options
  if (!Number.isInteger(poolMax) || poolMax < 1 || poolMax > 64) {
    throw new TypeError(`run('${name}'): poolMax is ${poolMax}, not a whole number from 1 to 64`)
  }
  return { kind: 'run', name, contracts: list, load, poolMax }
}

function isList(contracts: AnyContract | readonly AnyContract[]): contracts is readonly AnyContract[] {
  return Array.isArray(contracts)
}

/**
 * Names a service that runs elsewhere; it is called over HTTP by the REST binding of its contract.
 * @param options `url`: where it is, or how the environment says it, looked up when the system starts
 * @throws TypeError when it is not an http or https URL
 * @example external(maps, { url: (env) => env['MAPS_URL'] ?? 'https://maps.example' })
 */
export function external(
  contract: AnyContract,
  options: {
    readonly url: string | ((env: Environment) => string)
    readonly headers?: Readonly<Record<string, string>>
  },
): ExternalService {
  const { url, headers = {} } = options
  const name = contract.name
  if (typeof url === 'string') checkedUrl(name, url)
  const found = typeof url === 'string' ? () => url : (env: Environment) => checkedUrl(name, url(env))
  return { kind: 'external', name, contract, url: found, headers }
}

function checkedUrl(name: string, url: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url
  throw new TypeError(`external('${name}'): '${url}' is not an http or https URL`)
}

import type { ClusterReport } from '../../call/gateway-report.ts'
import type { Handle } from '../../call/call.ts'
import { signedCallers } from '../../call/signed-callers.ts'
import type { Address, Instance } from '../../call/instance.ts'
import { balanced, createRegistry } from '../../registry/index.ts'
import type { ServiceReadiness } from '../../gateway/index.ts'
import { connectLink, listenLink } from '../../transport/link/index.ts'
import { gatewayName, operatorName } from '../placement.ts'
import { type HostOptions, namesHere } from './host.ts'
import type { System } from '../system.ts'
import type { LoadedService } from './load-services.ts'
import { repeatable } from './repeatable.ts'
import { type Divergence, sendTwice } from './send-twice.ts'
import { createRouter } from './router.ts'
import type { SystemSnapshot } from './snapshot.ts'

export interface LinkOptions {
  /** Where this process listens for the others. */
  readonly address: Address
  /** The system's key: 32 random bytes that both ends must have. */
  readonly key: Uint8Array
  readonly localCalls?: LocalCalls
  /** Told when a keyed operation that was sent twice did not answer the same. */
  readonly onDivergence?: (divergence: Divergence) => void
}

/**
 * How calls within one process are made. `link`: encoded, over a socket, decoded, as if they left it. `link-twice`: so,
 * and what says that it is idempotent is sent twice (the wire runner).
 */
export type LocalCalls = 'direct' | 'link' | 'link-twice'

/** The calls of one process: in, out and within. */
export interface Mesh {
  readonly send: Handle
  /** Whether a service says that it uses a contract. The edge and the operator may call what they can name. */
  readonly mayCall: (from: string, contract: string) => boolean
  open(contracts: readonly string[], handle: Handle): void
  shut(contracts: readonly string[]): void
  update(snapshot: SystemSnapshot): void
  /** How the services stand, as far as this process knows. */
  services(): readonly ServiceReadiness[]
  /** How the instances of other processes stand, as calls from here saw them. */
  clusters(): readonly ClusterReport[]
  /** Lets the other processes in. */
  listen(): Promise<void>
  address(): Address | undefined
  drain(timeoutMs: number): Promise<void>
  close(): Promise<void>
}

export async function createMesh(
  options: HostOptions,
  loaded: readonly LoadedService[],
  snapshot: SystemSnapshot,
): Promise<Mesh> {
  const opened = new AsyncDisposableStack()
  const registry = createRegistry()
  let usesOf = usesBySender(snapshot, loaded)
  const names = options.system.services.map((service) => service.name)
  const update = (next: SystemSnapshot) => {
    registry.replace(next.instances, next.contracts)
    usesOf = usesBySender(next, loaded)
  }
  update(snapshot)

  const { link, clock } = options
  const ends = link === undefined ? undefined : linkEnds(options, link)
  const remote =
    ends === undefined
      ? undefined
      : balanced({
          registry,
          open: (instance) => connectLink({ address: addressOf(instance), ...ends }),
          idempotent: repeatable(options.system),
          clock,
          random: options.random,
          onEvent: (contract, event) => options.telemetry.log.warn({ contract, ...event }, `calls: ${event.kind}`),
        })
  if (remote !== undefined) opened.defer(() => remote.close())
  const externals = await externalsOf(options.system, opened)
  const router = createRouter({
    externals,
    remote: remote === undefined ? undefined : (call) => remote.send(call),
    knows: (contract) => snapshot.contracts.includes(contract) || registry.knows(contract),
    localCalls: link?.localCalls ?? 'direct',
  })
  let listening: Awaited<ReturnType<typeof listenLink>> | undefined

  return {
    send:
      link?.localCalls === 'link-twice'
        ? sendTwice(options.system, router.send, link.onDivergence ?? (() => {}))
        : router.send,
    mayCall: (from, contract) =>
      from === gatewayName || from === operatorName || usesOf.get(from)?.has(contract) === true,
    open: (contracts, handle) => router.open(contracts, handle),
    shut: (contracts) => router.close(contracts),
    update,
    clusters: () =>
      // Of the platform's own contracts, which have a dot in their names, nobody who places services wants to know.
      (remote?.state() ?? [])
        .filter(({ contract }) => !contract.includes('.'))
        .map(({ contract, ...state }) => ({ kind: 'service', name: contract, ...state })),
    services: () => readinessOf(names, registry.all(), loaded),
    async listen() {
      if (link === undefined || ends === undefined) return
      const server = await listenLink({ address: link.address, handle: router.serve, ...ends })
      opened.defer(() => server.close())
      listening = server
    },
    address: () => listening?.address,
    async drain(timeoutMs) {
      await listening?.drain(timeoutMs)
    },
    close: () => opened.disposeAsync(),
  }
}

/** What both ends of every link of this process share. */
function linkEnds(options: HostOptions, { key }: LinkOptions) {
  const { clock, telemetry } = options
  const self = { process: options.process, services: namesHere(options) }
  return { key, self, callers: signedCallers({ systemKey: key, clock }), clock, log: telemetry.log }
}

/** Code that only systems with external services need is loaded only for them. */
async function externalsOf(system: System, opened: AsyncDisposableStack): Promise<ReadonlyMap<string, Handle>> {
  if (system.externals.length === 0) return new Map()
  const { openExternals } = await import('./open-externals.ts')
  return openExternals(system.externals, opened)
}

function addressOf(instance: Instance): Address {
  if (instance.address === undefined) throw new Error(`the instance ${instance.id} has no address`)
  return instance.address
}

function readinessOf(
  names: readonly string[],
  instances: readonly Instance[],
  loaded: readonly LoadedService[],
): readonly ServiceReadiness[] {
  const here = new Set(loaded.map((each) => each.placed.name))
  return names.map((name) => {
    const own = instances.filter((instance) => instance.service === name)
    const ready = own.filter((instance) => instance.state === 'ready').length
    const count = Math.max(ready, here.has(name) ? 1 : 0)
    const without = own.length > 0 ? ('draining' as const) : ('down' as const)
    return { name, state: count > 0 ? 'ready' : without, instances: count }
  })
}

function usesBySender(
  snapshot: SystemSnapshot,
  loaded: readonly LoadedService[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map(Object.entries(snapshot.uses).map(([service, uses]) => [service, new Set(uses)]))
  for (const { facts } of loaded)
    all.set(facts.service, new Set([...facts.uses, ...facts.reads, ...(all.get(facts.service) ?? [])]))
  return all
}

import type { Handle } from '../../call/call.ts'
import type { Address, Instance } from '../../call/instance.ts'
import { balanced, createRegistry } from '../../registry/index.ts'
import { connectLink, listenLink } from '../../transport/link/index.ts'
import { httpTransport } from '../../transport/http/index.ts'
import { createHttpClient } from '../../http/index.ts'
import { gatewayName, operatorName } from '../placement.ts'
import { type HostOptions, namesHere } from './host.ts'
import type { LoadedService } from './load-services.ts'
import { createRouter } from './router.ts'
import type { SystemSnapshot } from './snapshot.ts'

export interface LinkOptions {
  /** Where this process listens for the others. */
  readonly address: Address
  /** The system's key: 32 random bytes that both ends must have. */
  readonly key: Uint8Array
  /** `link`: calls within this process go through the link too (the wire runner). */
  readonly localCalls?: 'direct' | 'link'
}

/** The calls of one process: in, out and within. */
export interface Mesh {
  readonly send: Handle
  /** Whether a service says that it uses a contract. The edge and the operator may call what they can name. */
  readonly mayCall: (from: string, contract: string) => boolean
  open(contracts: readonly string[], handle: Handle): void
  shut(contracts: readonly string[]): void
  update(snapshot: SystemSnapshot): void
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
  const update = (next: SystemSnapshot) => {
    registry.replace(next.instances, next.contracts)
    usesOf = usesBySender(next, loaded)
  }
  update(snapshot)

  const { link, clock } = options
  const self = { process: options.process, services: namesHere(options) }
  const remote =
    link === undefined
      ? undefined
      : balanced({
          registry,
          open: (instance) => connectLink({ address: addressOf(instance), key: link.key, self, clock }),
          clock,
          random: options.random,
        })
  if (remote !== undefined) opened.defer(() => remote.close())
  const externals = openExternals(options, opened)
  const router = createRouter({
    externals,
    remote: remote === undefined ? undefined : (call) => remote.send(call),
    knows: (contract) => snapshot.contracts.includes(contract) || registry.knows(contract),
    localCalls: link?.localCalls ?? 'direct',
  })
  let listening: Awaited<ReturnType<typeof listenLink>> | undefined

  return {
    send: router.send,
    mayCall: (from, contract) =>
      from === gatewayName || from === operatorName || usesOf.get(from)?.has(contract) === true,
    open: (contracts, handle) => router.open(contracts, handle),
    shut: (contracts) => router.close(contracts),
    update,
    async listen() {
      if (link === undefined) return
      const server = await listenLink({ address: link.address, key: link.key, self, handle: router.serve, clock })
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

function addressOf(instance: Instance): Address {
  if (instance.address === undefined) throw new Error(`the instance ${instance.id} has no address`)
  return instance.address
}

function openExternals(options: HostOptions, opened: AsyncDisposableStack): ReadonlyMap<string, Handle> {
  const { externals } = options.system
  if (externals.length === 0) return new Map()
  const client = createHttpClient({})
  opened.defer(() => client.close())
  return new Map(
    externals.map(({ contract, url, headers }) => {
      const transport = httpTransport({ contract, url, client, headers })
      opened.defer(() => transport.close())
      return [contract.id, (call) => transport.send(call)]
    }),
  )
}

function usesBySender(
  snapshot: SystemSnapshot,
  loaded: readonly LoadedService[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map(Object.entries(snapshot.uses).map(([service, uses]) => [service, new Set(uses)]))
  for (const { facts } of loaded) all.set(facts.service, new Set([...facts.uses, ...(all.get(facts.service) ?? [])]))
  return all
}

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreConnection } from '../store/store.ts'
import { gatewayUses } from '../gateway/index.ts'
import { type HostOptions, prepareHost, type RunningHost } from './host/host.ts'
import type { ServiceFacts, SystemSnapshot } from './host/snapshot.ts'
import { oneProcessOperator } from './one-process-operator.ts'
import { accessName } from './placement.ts'
import { shortSocketDir } from './split/socket-dir.ts'
import { StartError } from './start-error.ts'
import type { Start, Started } from './start-system.ts'

/** Runs all services and the gateway in this process. */
export async function startOneProcess(start: Start): Promise<Started> {
  const { system, clock, telemetry } = start
  const startedAtMs = clock.monotonic()
  const wired = (start.options.localCalls ?? 'direct') !== 'direct'
  const options: HostOptions = {
    system,
    process: system.name,
    services: system.services.map((service) => service.name),
    gateway: start.gateway,
    link: wired ? await linkToItself(start) : undefined,
    clock,
    random: Math.random,
    telemetry,
  }
  const prepared = await prepareHost(options)
  const stores = await connections(start, prepared.facts)
  const { progress } = start
  const host = await prepared.start({
    stores,
    snapshot: snapshotOf(start, prepared.facts, options),
    progress,
    signal: start.signal,
  })
  start.opened.defer(() => close(host, start.drainTimeoutMs))
  const gatewayUrl = urlOf(host)
  const external = system.externals.map(({ contract }) => contract.id)
  const served = new Set([...prepared.facts.flatMap(({ contracts }) => contracts), ...external])
  return {
    send: host.send,
    gatewayUrl,
    operator: oneProcessOperator({
      system,
      placement: start.placement,
      facts: prepared.facts,
      gatewayUrl,
      send: host.send,
      clock,
      startedAtMs,
      metricsText: () => telemetry.metricsText(),
      report: () => host.report(),
    }),
    describe: async () => ({
      services: [
        ...prepared.facts.map(({ service, version }) => ({ service, version })),
        { service: 'gateway', version: undefined },
      ].map((each) => ({ ...each, where: 'this process', pids: [process.pid] })),
    }),
    reload: () => Promise.reject(new Error('only a supervised system can be reloaded')),
    async replaceGateway(spec) {
      const missing = gatewayUses(spec).filter(({ id }) => !served.has(id))
      if (missing.length > 0) {
        const names = missing.map(({ name }) => (name === accessName ? `${name} (keys, plans, shared counters)` : name))
        const what = `the gateway now asks ${names.join(', ')}, which was not started with it`
        throw new StartError('system_invalid', `${what}; stop it and start it again`)
      }
      await host.runningGateway().replace(spec)
    },
    kill: () => process.exit(1),
  }
}

async function close(host: RunningHost, drainTimeoutMs: number): Promise<void> {
  await host.drain(drainTimeoutMs)
  await host.close()
}

function urlOf(host: RunningHost): string {
  if (host.gateway === undefined) throw new Error('the gateway does not listen')
  return `http://${host.gateway.host}:${host.gateway.port}`
}

function connections(start: Start, facts: readonly ServiceFacts[]): Promise<Readonly<Record<string, StoreConnection>>> {
  const poolMax = new Map(start.system.services.map((service) => [service.name, service.poolMax]))
  const needed = facts.filter((each) => each.hasStore)
  return start.stores.connectionsFor(
    needed.map(({ service }) => ({ service, poolMax: poolMax.get(service) ?? 8, processes: () => 1 })),
  )
}

async function linkToItself(start: Start): Promise<NonNullable<HostOptions['link']>> {
  const dir = await shortSocketDir()
  start.opened.defer(() => rm(dir, { recursive: true, force: true }))
  return { address: { kind: 'unix', path: join(dir, 'self') }, key: start.key, ...wiring(start.options) }
}

function wiring({ localCalls = 'direct', onDivergence }: Start['options']) {
  return { localCalls, ...(onDivergence === undefined ? {} : { onDivergence }) }
}

function snapshotOf(start: Start, facts: readonly ServiceFacts[], { link }: HostOptions): SystemSnapshot {
  const { system } = start
  return {
    contracts: [
      ...facts.flatMap((each) => [...each.contracts, ...each.feeds]),
      ...system.externals.map((service) => service.contract.id),
    ],
    uses: Object.fromEntries(facts.map((each) => [each.service, [...each.uses, ...each.reads]])),
    instances:
      link === undefined
        ? []
        : facts.map(({ service, version, contracts, feeds }) => ({
            id: `${system.name}/${service}`,
            service,
            version,
            contracts: [...contracts, ...feeds],
            address: link.address,
            state: 'ready' as const,
          })),
  }
}

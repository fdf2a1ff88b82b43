import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createMesh } from '../host/mesh.ts'
import { emptySnapshot } from '../host/snapshot.ts'
import { operatorName } from '../placement.ts'
import { StartError } from '../start-error.ts'
import type { Start, Started } from '../start-system.ts'
import { Fleet } from './fleet.ts'
import { fleetOperator } from './fleet-operator.ts'
import { membersOf } from './group-state.ts'
import { shortSocketDir } from './socket-dir.ts'
import { spawnChild } from './spawn-child.ts'

/** Runs the groups of a placement in processes of their own, with this one as their parent. */
export async function startFleet(start: Start): Promise<Started> {
  const { options, system, placement, clock, telemetry, opened } = start
  const startedAtMs = clock.monotonic()
  const socketDir = await shortSocketDir()
  opened.defer(() => rm(socketDir, { recursive: true, force: true }))
  const mesh = await createMesh(
    {
      system,
      process: 'supervisor',
      services: [operatorName],
      gateway: undefined,
      link: { address: { kind: 'unix', path: join(socketDir, 'supervisor') }, key: start.key },
      clock,
      random: Math.random,
      telemetry,
    },
    [],
    emptySnapshot,
  )
  opened.defer(() => mesh.close())
  const fleet = new Fleet({
    system,
    systemUrl: fileOf(options.systemUrl),
    placement,
    gateway: start.gateway,
    socketDir,
    key: start.key,
    stores: start.stores,
    clock,
    random: Math.random,
    log: telemetry.log,
    logLevel: options.logLevel ?? 'info',
    spawn: spawnChild,
    onProgress: start.progress,
    onSnapshot: (snapshot) => mesh.update(snapshot),
    drainTimeoutMs: start.drainTimeoutMs,
    startIdleMs: options.startIdleMs ?? 60_000,
    ...(options.restarts === undefined ? {} : { restarts: options.restarts }),
    ...(options.liveness === undefined ? {} : { liveness: options.liveness }),
  })
  opened.defer(() => fleet.stop())
  await fleet.start(start.signal)
  const operator = fleetOperator(fleet, {
    send: mesh.send,
    startedAtMs,
    ownMetrics: () => telemetry.metricsText(),
  })
  return {
    operator,
    send: mesh.send,
    gatewayUrl: `http://${start.gateway.host}:${fleet.gatewayPort()}`,
    async describe() {
      const groups = [...fleet.groups.values()]
      const services = groups.flatMap((group) =>
        membersOf(group).map((service) => ({
          service,
          version: [...group.replicas].flatMap((each) => each.facts).find((facts) => facts.service === service)
            ?.version,
          where: group.name === service ? 'its own process' : `process group ${group.name}`,
          pids: [...group.replicas].flatMap((replica) => replica.handle?.pid ?? []),
        })),
      )
      return { services }
    },
    async reload() {
      for (const group of fleet.groups.values()) await operator.deploy(membersOf(group)[0] as string)
    },
    replaceGateway: () => Promise.reject(new StartError('system_invalid', 'a gateway of its own process is deployed')),
    kill: () => fleet.kill(),
  }
}

function fileOf(systemUrl: URL | undefined): URL {
  if (systemUrl !== undefined) return systemUrl
  throw new StartError('system_invalid', 'only a system that stands in a file can have processes of its own')
}

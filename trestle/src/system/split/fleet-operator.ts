import type { Call, Handle } from '../../call/call.ts'
import type { Affected, Operator, ProcessStatus, Readiness, ServiceStatus, SystemStatus } from '../../call/operator.ts'
import { OperatorError } from '../../call/operator.ts'
import { mergeMetrics } from '../../telemetry/index.ts'
import { operatorCall } from '../operator-call.ts'
import { gatewayName, replicasAllowed, replicasMax } from '../placement.ts'
import { messageOf } from '../start-error.ts'
import type { Fleet } from './fleet.ts'
import { type GroupState, membersOf, readyReplicas } from './group-state.ts'
import type { Replica } from './replica.ts'

/** What an operator may do to a split system: every operation moves a whole group, and only one at a time. */
export function fleetOperator(
  fleet: Fleet,
  own: { readonly send: Handle; readonly startedAtMs: number; readonly ownMetrics: () => string },
): Operator {
  const { system, placement, clock, log } = fleet.options
  const groupOf = (service: string): GroupState => {
    const found = [...fleet.groups.values()].find((group) => membersOf(group).includes(service))
    if (found !== undefined) return found
    const known = [...system.services.map((each) => each.name), gatewayName].join(', ')
    throw new OperatorError('unknown_service', `there is no service '${service}'; there are ${known}`)
  }
  const during = async (
    service: string,
    what: string,
    work: (group: GroupState) => Promise<void>,
  ): Promise<Affected> => {
    const group = groupOf(service)
    if (group.busy !== undefined) {
      throw new OperatorError('busy', `${group.name}: ${group.busy} is still going on; ask again when it is done`)
    }
    group.busy = what
    const since = clock.monotonic()
    const done = (more: object) => ({ group: group.name, tookMs: Math.round(clock.monotonic() - since), ...more })
    try {
      await work(group)
      log.info(done({ replicas: group.stopped ? 0 : group.wanted }), `an operator asked for ${what}: done`)
    } catch (error) {
      log.warn(done({ reason: messageOf(error) }), `an operator asked for ${what}: failed`)
      throw error
    } finally {
      group.busy = undefined
    }
    return { group: group.name, services: membersOf(group), replicas: group.stopped ? 0 : group.wanted }
  }

  return {
    scale: async (service, replicas) => {
      if (!replicasAllowed(replicas)) {
        throw new OperatorError('invalid_replicas', `replicas must be a whole number from 1 to ${replicasMax}`)
      }
      return during(service, 'a change of replicas', async (group) => {
        mustRun(group)
        await scaleTo(fleet, group, replicas)
      })
    },
    restart: (service) =>
      during(service, 'a restart', async (group) => {
        mustRun(group)
        await replaceAll(fleet, group)
      }),
    deploy: (service) =>
      during(service, 'a deployment', async (group) => {
        await replaceAll(fleet, group)
        group.stopped = false
      }),
    stop: (service) =>
      during(service, 'a stop', async (group) => {
        group.stopped = true
        await retireAll(fleet, [...group.replicas])
      }),
    start: (service) =>
      during(service, 'a start', async (group) => {
        if (!group.stopped && readyReplicas(group).length >= group.wanted) return
        const before = [...group.replicas].filter((replica) => replica.state !== 'ready')
        await Promise.all(before.map((replica) => fleet.retire(replica)))
        await launchAll(fleet, group, group.wanted - group.replicas.size, 'start_failed')
        group.stopped = false
      }),
    call: (request) => operatorCall(request, { system, send: (call: Call) => own.send(call), clock }),
    async metrics() {
      const parts = (await fleet.metrics()).map(({ replica, text }) => ({ labels: { process: replica.id }, text }))
      return mergeMetrics([{ labels: { process: 'supervisor' }, text: own.ownMetrics() }, ...parts])
    },
    gateways: () => fleet.gateways(),
    readiness: async () => readinessOf([...fleet.groups.values()].flatMap((group) => statusesOf(fleet, group))),
    async status(): Promise<SystemStatus> {
      await fleet.refreshUsage()
      const gateway = [...fleet.replicas()].find(
        (replica) => replica.state === 'ready' && replica.gateway !== undefined,
      )
      return {
        system: system.name,
        topology: placement.topology,
        pid: process.pid,
        uptimeMs: clock.monotonic() - own.startedAtMs,
        gatewayUrl: gateway === undefined ? undefined : `http://${fleet.options.gateway.host}:${fleet.gatewayPort()}`,
        services: [...fleet.groups.values()].flatMap((group) => statusesOf(fleet, group)),
      }
    },
  }
}

function mustRun(group: GroupState): void {
  if (group.stopped) throw new OperatorError('start_failed', `${group.name} is stopped; start it first`)
}

async function scaleTo(fleet: Fleet, group: GroupState, replicas: number): Promise<void> {
  const before = group.wanted
  group.wanted = replicas
  const all = [...group.replicas]
  if (replicas <= all.length) {
    // What works least goes first; among equals, the newest.
    const order = all.toReversed().toSorted((a, b) => Number(a.state === 'ready') - Number(b.state === 'ready'))
    await retireAll(fleet, order.slice(0, all.length - replicas))
    return
  }
  try {
    await launchAll(fleet, group, replicas - all.length, 'start_failed')
  } catch (error) {
    group.wanted = before
    throw error
  }
}

/** New ones first; only when all of them are ready, one snapshot turns every caller from the old to the new. */
async function replaceAll(fleet: Fleet, group: GroupState): Promise<void> {
  const old = [...group.replicas]
  const fresh = await launchAll(fleet, group, group.wanted, 'deploy_failed', false)
  for (const replica of fresh) replica.announced = true
  await fleet.publisher.publish()
  await retireAll(fleet, old)
}

/** Starts `count` replicas; when one does not become ready, none of them stays. */
async function launchAll(
  fleet: Fleet,
  group: GroupState,
  count: number,
  code: 'start_failed' | 'deploy_failed',
  announced = true,
): Promise<readonly Replica[]> {
  const fresh = fleet.newReplicas(group, Math.max(0, count))
  for (const replica of fresh) replica.announced = announced
  const failures: unknown[] = []
  await Promise.all(fresh.map((replica) => fleet.launch(replica).catch((error: unknown) => failures.push(error))))
  const [first] = failures
  if (first === undefined) return fresh
  await retireAll(fleet, fresh)
  const why = messageOf(first)
  const kept = code === 'deploy_failed' ? '; what ran before still runs' : ''
  throw new OperatorError(code, `${why}${kept}`, { cause: first })
}

async function retireAll(fleet: Fleet, replicas: readonly Replica[]): Promise<void> {
  await Promise.all(replicas.map((replica) => fleet.retire(replica)))
}

function statusesOf(fleet: Fleet, group: GroupState): readonly ServiceStatus[] {
  const replicas = [...group.replicas]
  return membersOf(group).map((service) => {
    const facts = replicas.flatMap((replica) => replica.facts).findLast((each) => each.service === service)
    return {
      service,
      group: group.name,
      version: facts?.version,
      contracts: facts?.contracts ?? [],
      replicas: group.stopped ? 0 : group.wanted,
      ...stateOf(fleet, group),
      processes: replicas.map((replica) => processStatus(fleet, replica, service)),
    }
  })
}

function stateOf(fleet: Fleet, group: GroupState): Pick<ServiceStatus, 'state' | 'reason'> {
  if (group.stopped) return { state: 'stopped', reason: 'stopped by an operator' }
  const ready = readyReplicas(group).length
  if (ready >= group.wanted) return { state: 'ready', reason: undefined }
  const statuses = [...group.replicas].flatMap((replica) => fleet.supervisor.status(replica.id) ?? [])
  const reason = statuses.find((status) => status.state !== 'running')?.reason
  if (ready > 0) return { state: 'degraded', reason }
  if (statuses.some((status) => status.state === 'failed')) return { state: 'failed', reason }
  return { state: reason === undefined ? 'starting' : 'down', reason }
}

function processStatus(fleet: Fleet, replica: Replica, service: string): ProcessStatus {
  const supervised = fleet.supervisor.status(replica.id)
  const waiting = supervised?.state === 'failed' ? 'failed' : 'waiting'
  return {
    process: replica.id,
    pid: replica.handle?.pid,
    state: replica.state === 'gone' ? waiting : replica.state,
    version: replica.facts.find((facts) => facts.service === service)?.version,
    uptimeMs: supervised?.uptimeMs,
    restarts: supervised?.restarts ?? 0,
    memoryBytes: fleet.usage.memoryBytes(replica),
    cpuPercent: fleet.usage.cpuPercent(replica),
  }
}

function readinessOf(services: readonly ServiceStatus[]): Readiness {
  const waitingFor = services
    .filter(({ state }) => state !== 'ready' && state !== 'degraded')
    .map(({ service, state, reason }) => ({ service, reason: reason ?? state }))
  return { ready: waitingFor.length === 0, waitingFor }
}

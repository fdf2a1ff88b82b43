import type { ClusterReport, MemberReport, RouteReport } from '../call/gateway-report.ts'
import type { CliIo } from './io.ts'
import { showDuration } from './quantities.ts'
import { type Column, textTable } from './table.ts'

const routeColumns = ['METHOD', 'PATH', 'HOST', 'TARGET', 'ACCESS', 'POLICIES'].map((title) => ({ title }))

/** A line for each public address. */
export function routesTable(routes: readonly RouteReport[]): string {
  return textTable(
    routeColumns,
    routes.map(({ method, path, hosts, name, kind, access, policies }) => [
      method === '*' ? 'all' : method,
      path,
      hosts.length === 0 ? 'all' : hosts.join(' '),
      targetText(kind, name),
      access,
      policies.length === 0 ? '-' : policies.join(', '),
    ]),
  )
}

/** The name says more than the kind where it is not just the address again. */
function targetText(kind: RouteReport['kind'], name: string): string {
  return kind === 'operation' ? name : name.includes('/') ? kind : `${kind} ${name}`
}

const clusterColumns: readonly Column[] = [
  { title: 'UPSTREAM' },
  { title: 'MEMBER' },
  { title: 'STATE' },
  { title: 'WEIGHT', align: 'right' },
  { title: 'IN FLIGHT', align: 'right' },
  { title: 'LATENCY', align: 'right' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'LAST EJECTION' },
]

/** A line for each member; a cluster's name stands on its first one only. */
export function upstreamsTable(clusters: readonly ClusterReport[], io: CliIo, nowMs: number): string {
  return textTable(
    clusterColumns,
    clusters.flatMap((cluster) =>
      cluster.members.map((member, at) => [at === 0 ? clusterText(cluster) : '', ...memberCells(member, io, nowMs)]),
    ),
  )
}

function clusterText({ name, breaker }: ClusterReport): string {
  return breaker === 'closed' ? name : `${name} (breaker ${breaker})`
}

function memberCells(member: MemberReport, io: CliIo, nowMs: number): readonly string[] {
  const { id, state, weight, inFlight, latencyMs, requests, failures, lastEjection } = member
  const { green, red, yellow } = io.colors
  const colour = state === 'healthy' ? green : state === 'probation' ? yellow : red
  return [
    id,
    colour(state),
    String(weight),
    String(inFlight),
    requests === 0 ? '-' : `${latencyMs.toFixed(1)} ms`,
    String(requests),
    String(failures),
    lastEjection === undefined ? '-' : `${lastEjection.reason}, ${showDuration(nowMs - lastEjection.atMs)} ago`,
  ]
}

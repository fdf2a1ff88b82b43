import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Handle } from '../call/call.ts'
import type { Operator, Readiness } from '../call/operator.ts'
import { createGateway } from '../gateway/create-gateway.ts'
import { authenticator, expose, gateway } from '../gateway/index.ts'
import { metricsHandler } from '../gateway/pages/metrics-handler.ts'
import type { HttpHandler, HttpResponse } from '../http/message.ts'
import { serve } from '../http/serve.ts'
import { createServiceHandle } from '../service/index.ts'
import { systemClock } from '../std/clock.ts'
import { uuidv7 } from '../std/ids.ts'
import type { Log, Metrics } from '../telemetry/index.ts'
import { adminAccessContract } from './access-contract.ts'
import { adminAccessService } from './access-service.ts'
import { adminFilePath, writeAdminFile } from './admin-file.ts'
import { adminService } from './admin-service.ts'
import { adminContract } from './contract.ts'
import { adminOperatedContract } from './operated-contract.ts'
import { adminOperatedService } from './operated-service.ts'
import { isLocalHost } from './local-host.ts'

export interface AdminOptions {
  readonly operator: Operator
  /** Must be of the loopback. */
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** `admin.json` is written here, with the token. */
  readonly dataDir: string
  readonly system: string
  readonly topology: string
  readonly gatewayUrl: string
  readonly telemetry: { readonly log: Log; readonly metrics: Metrics }
}

export interface AdminListener {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves the operator's operations on the loopback. `/livez`, `/readyz` and `/metrics` need no token, everything else
 * needs the one that is made for this start and written to `admin.json`, which only this user can read.
 * @throws HttpError `port_in_use`
 */
export async function startAdmin(options: AdminOptions): Promise<AdminListener> {
  const token = randomBytes(32).toString('base64url')
  const deps = {
    send: () => Promise.reject(new Error('the admin services call nobody')),
    mayCall: () => true,
    clock: systemClock,
    newId: () => uuidv7(),
    random: Math.random,
    log: options.telemetry.log,
  }
  const services = new Map([
    [adminContract.id, createServiceHandle(adminService(options.operator), deps).handle],
    [adminAccessContract.id, createServiceHandle(adminAccessService(options.operator), deps).handle],
    [adminOperatedContract.id, createServiceHandle(adminOperatedService(options.operator), deps).handle],
  ])
  const { handler, onRefusal } = await createGateway(
    gateway({
      authenticate: [operatorToken(token)],
      routes: [expose(adminContract), expose(adminAccessContract), expose(adminOperatedContract)],
    }),
    {
      send: (call) => (services.get(call.contract) as Handle)(call),
      clock: systemClock,
      log: options.telemetry.log,
      metrics: options.telemetry.metrics,
      readiness: () => ({ ready: true, services: [] }),
      info: { title: `${options.system}: admin`, version: adminContract.version },
    },
  )
  const server = await serve({ host: options.host, port: options.port, handler: guarded(options, handler), onRefusal })
  const url = `http://${server.host}:${server.port}`
  const { dataDir, system, topology, gatewayUrl } = options
  await writeAdminFile(dataDir, { pid: process.pid, system, topology, adminUrl: url, gatewayUrl, token })
  return {
    url,
    async close() {
      await rm(adminFilePath(dataDir), { force: true })
      await server.drain(drainTimeoutMs)
    },
  }
}

/** The answer to the one who asked for the end may still be on its way, milliseconds. */
const drainTimeoutMs = 1_000

/** Compared as digests: in constant time, whatever the length. */
function operatorToken(token: string) {
  const expected = digest(token)
  return authenticator({
    name: 'operator',
    scheme: 'bearer',
    authenticate: async ({ credential }) =>
      timingSafeEqual(digest(credential), expected) ? { kind: 'key', id: 'operator', scopes: ['operator'] } : undefined,
  })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function guarded({ operator }: AdminOptions, next: HttpHandler): HttpHandler {
  const metrics = metricsHandler(() => operator.metrics())
  return (request) => {
    if (!isLocalHost(request.headers.get('host'))) return wrongHost
    const path = request.target.split('?', 1)[0]
    if (request.method === 'GET' && path === '/metrics') return metrics(request)
    if (request.method === 'GET' && path === '/readyz') return operator.readiness().then(readinessReply)
    return next(request)
  }
}

const wrongHost: HttpResponse = {
  status: 421,
  headers: [['Content-Type', 'application/problem+json']],
  body: JSON.stringify({
    type: 'about:blank',
    title: 'This host is not served here',
    status: 421,
    code: 'misdirected_request',
    detail: 'Ask for localhost or 127.0.0.1',
  }),
}

function readinessReply({ ready, waitingFor }: Readiness): HttpResponse {
  return {
    status: ready ? 200 : 503,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
    ],
    body: JSON.stringify({ status: ready ? 'ready' : 'not ready', waitingFor }),
  }
}

import type { Call, Reply } from '../call/call.ts'
import { anonymous } from '../call/caller.ts'
import type { Client } from '../call/client.ts'
import type { GatewayReport } from '../call/gateway-report.ts'
import { createClient } from '../call/create-client.ts'
import { type Operator, OperatorError, type OperatorErrorCode, type SystemStatus } from '../call/operator.ts'
import type { Problem } from '../call/problem.ts'
import type { AnyContract } from '../contract/contract.ts'
import { createHttpClient, type HttpClient } from '../http/index.ts'
import { systemClock } from '../std/clock.ts'
import { newTrace } from '../std/trace-context.ts'
import { httpTransport } from '../transport/http/index.ts'
import { adminAccessContract } from './access-contract.ts'
import { type AdminFile, readAdminFile } from './admin-file.ts'
import { adminContract, type Json } from './contract.ts'
import { adminOperatedContract } from './operated-contract.ts'

/** A running system, from another process of the same user. */
export interface AdminConnection {
  /** Where its admin listener is. */
  readonly url: string
  readonly operator: Operator
  /** The gateway's keys, plans and usage. */
  readonly access: Client<typeof adminAccessContract>
  /** Events, sagas and jobs of each service. */
  readonly operated: Client<typeof adminOperatedContract>
  close(): Promise<void>
}

/**
 * Connects to the system that runs on a data directory; `undefined` when none does.
 * @example const admin = await connectAdmin({ dataDir: '.trestle' })
 *   await admin?.operator.scale('orders', 3)
 */
export async function connectAdmin({ dataDir }: { readonly dataDir: string }): Promise<AdminConnection | undefined> {
  const file = await readAdminFile(dataDir)
  if (file === undefined) return undefined
  const client = createHttpClient({})
  if (!(await isAlive(client, file))) {
    await client.close()
    return undefined
  }
  const authorization = `Bearer ${file.token}`
  const over = { url: file.adminUrl, client, headers: { authorization } }
  const context = { caller: anonymous, trace: newTrace() }
  const opened = new AsyncDisposableStack()
  opened.defer(() => client.close())
  const clientOf = <C extends AnyContract>(contract: C): Client<C> => {
    const transport = httpTransport({ contract, ...over })
    opened.defer(() => transport.close())
    const deps = { from: 'operator', send: (call: Call) => transport.send(call), clock: systemClock }
    return createClient(contract, deps)(context)
  }
  return {
    url: file.adminUrl,
    operator: remoteOperator(clientOf(adminContract), client, file),
    access: clientOf(adminAccessContract),
    operated: clientOf(adminOperatedContract),
    close: () => opened.disposeAsync(),
  }
}

/** The file of a system that was killed stays behind; the port may be somebody else's by now. */
async function isAlive(client: HttpClient, file: AdminFile): Promise<boolean> {
  try {
    const reply = await client.request({
      method: 'GET',
      origin: file.adminUrl,
      target: '/status',
      headers: [['Authorization', `Bearer ${file.token}`]],
      timeoutMs: 10_000,
    })
    await reply.discard()
    return reply.status === 200
  } catch {
    return false
  }
}

function remoteOperator(admin: Client<typeof adminContract>, client: HttpClient, file: AdminFile): Operator {
  const act = (verb: 'restart' | 'stop' | 'start' | 'deploy') => (service: string) =>
    asOperator(admin[verb]({ service }))
  return {
    // The contract's optional fields are the interface's undefined ones.
    status: async () => (await admin.status({})) as SystemStatus,
    gateways: async () => (await admin.gateways({})) as readonly GatewayReport[],
    scale: (service, replicas) => asOperator(admin.scale({ service, replicas })),
    restart: act('restart'),
    stop: act('stop'),
    start: act('start'),
    deploy: act('deploy'),
    async call(request) {
      const { input, ...rest } = request
      // What is no JSON the contract refuses.
      return replyOf(await admin.call({ ...rest, input: (input ?? null) as Json }))
    },
    metrics: () => read(client, file, '/metrics'),
    readiness: async () => {
      const { status, waitingFor } = JSON.parse(await read(client, file, '/readyz')) as {
        status: string
        waitingFor: { service: string; reason: string }[]
      }
      return { ready: status === 'ready', waitingFor }
    },
  }
}

const pageMaxBytes = 67_108_864

async function read(client: HttpClient, file: AdminFile, target: string): Promise<string> {
  const reply = await client.request({ method: 'GET', origin: file.adminUrl, target, headers: [] })
  return Buffer.from(await reply.bytes(pageMaxBytes)).toString()
}

/** A refusal is the same error here as it is in the process of the system. */
async function asOperator<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Error) || !('declared' in error) || error.declared !== true) throw error
    const { code, detail } = error as unknown as Error & { code: OperatorErrorCode; detail?: string }
    throw new OperatorError(code, detail ?? error.message, { cause: error })
  }
}

interface WireReply {
  readonly ok: boolean
  readonly status: number
  readonly value?: unknown
  readonly bytes?: { readonly base64: string; readonly contentType: string } | undefined
  readonly problem?: unknown
}

function replyOf({ ok, status, value, bytes, problem }: WireReply): Reply {
  if (!ok) return { ok: false, problem: problem as Problem }
  if (bytes !== undefined) {
    const { base64, contentType } = bytes
    return { ok: true, status, body: { kind: 'bytes', bytes: Buffer.from(base64, 'base64'), contentType } }
  }
  return { ok: true, status, body: value === undefined ? { kind: 'empty' } : { kind: 'value', value } }
}

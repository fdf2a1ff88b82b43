import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ask, type WebReply } from './web.ts'

/** One process of a service, as `trestle ps` shows it. */
export interface ProcessRow {
  readonly service: string
  readonly state: string
  readonly pid: number | undefined
}

/** A key whose events wait for a person. */
export interface ParkedKey {
  readonly subscription: string
  readonly key: string
}

/** What an operator may do to a running system, over its admin API. */
export interface Operator {
  /** Calls any operation. @throws Refused when it fails */
  call<T>(contract: string, operation: string, input: unknown, options?: CallOptions): Promise<T>
  act(verb: 'restart' | 'deploy' | 'start' | 'stop', service: string): Promise<void>
  scale(service: string, replicas: number): Promise<void>
  ps(): Promise<readonly ProcessRow[]>
  /** Keys of a service's subscriptions that are parked. */
  parked(service: string): Promise<readonly ParkedKey[]>
  /** Events that a service's subscriptions have not handled; not those behind parked keys. */
  unhandled(service: string): Promise<number>
  /** Lets parked keys be tried again; resolves with how many. */
  redrive(service: string, subscription: string): Promise<number>
  /** Instances of a saga that have not ended. */
  sagas(service: string, saga: string): Promise<readonly { readonly id: string }[]>
  /** Undoes one. */
  cancelSaga(service: string, id: string): Promise<void>
  /** Lets a job run now. */
  runJob(service: string, job: string): Promise<void>
  /** Services that their supervisor has given up. */
  givenUp(): Promise<readonly string[]>
}

interface CallOptions {
  /** As a user in place of the operator. */
  readonly as?: string
  readonly key?: string
}

/** The system has decided; not that it could not be asked. */
class Refused extends Error {
  readonly status: number
  readonly code: string

  constructor(what: string, status: number, code: string) {
    super(`${what}: ${status} ${code}`)
    this.status = status
    this.code = code
  }
}

const callTimeoutMs = 15_000
const actTimeoutMs = 60_000

/** The operator of the system that runs on a data directory; it may be another process after each start. */
export function operatorOf(dataDir: string): Operator {
  const admin = async (method: string, path: string, body?: unknown, timeoutMs = callTimeoutMs) => {
    const { adminUrl, token } = JSON.parse(await readFile(join(dataDir, 'admin.json'), 'utf8')) as Admin
    const options = { token, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body }) }
    return checked(`${method} ${path}`, await ask(method, adminUrl + path, options))
  }
  return {
    async call<T>(contract: string, operation: string, input: unknown, { as, key }: CallOptions = {}) {
      const { body } = await admin('POST', '/calls', {
        contract,
        operation,
        input: input ?? null,
        ...(as === undefined ? {} : { as: { kind: 'user', id: as } }),
        ...(key === undefined ? {} : { key }),
      })
      if (body.ok !== true) throw new Refused(`${contract}.${operation}`, body.status, body.problem?.code ?? 'unknown')
      return body.value as T
    },
    async act(verb, service) {
      await admin('POST', `/services/${service}/${verb}`, {}, actTimeoutMs)
    },
    async scale(service, replicas) {
      await admin('PUT', `/services/${service}/replicas`, { replicas }, actTimeoutMs)
    },
    async ps() {
      const { services } = (await admin('GET', '/status')).body as Status
      return services.flatMap(({ service, processes }) => processes.map(({ pid, state }) => ({ service, pid, state })))
    },
    async parked(service) {
      return (await admin('GET', `/services/${service}/blocked-keys?max=1000`)).body as readonly ParkedKey[]
    },
    async unhandled(service) {
      const rows = (await admin('GET', `/services/${service}/subscriptions`)).body as readonly Lag[]
      return rows.reduce((sum, { waiting, unread }) => sum + waiting + (unread ?? 1), 0)
    },
    async redrive(service, subscription) {
      const reason = 'its handler is well again'
      const reply = await admin('POST', `/services/${service}/redrive`, { subscription, reason })
      return reply.body.keys as number
    },
    async sagas(service, saga) {
      return (await admin('GET', `/services/${service}/sagas?saga=${saga}`)).body as readonly { readonly id: string }[]
    },
    async cancelSaga(service, id) {
      await admin('POST', `/services/${service}/sagas/${id}/cancel`, { reason: 'the proof wants to see it undone' })
    },
    async runJob(service, job) {
      await admin('POST', `/services/${service}/jobs/${job}/run`, {})
    },
    async givenUp() {
      const { services } = (await admin('GET', '/status')).body as Status
      return services.filter(({ state }) => state === 'failed').map(({ service }) => service)
    },
  }
}

interface Admin {
  readonly adminUrl: string
  readonly token: string
}

interface Lag {
  readonly waiting: number
  /** `null`: nobody could be asked. */
  readonly unread: number | null
}

interface Status {
  readonly services: readonly {
    readonly service: string
    readonly state: string
    readonly processes: readonly { readonly pid?: number; readonly state: string }[]
  }[]
}

function checked(what: string, reply: WebReply): WebReply {
  if (reply.status >= 200 && reply.status < 300) return reply
  throw new Refused(what, reply.status, reply.body?.code ?? 'unknown')
}

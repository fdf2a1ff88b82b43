import type { Client } from '../../call/client.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import { randomHex } from '../../std/ids.ts'
import { Seldom } from '../../std/seldom.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { GatewayLog } from '../gateway-context.ts'
import type { access } from './contract.ts'

const minuteMs = 60_000
/** How often what was counted is sent. A gateway that crashes loses no more than this. */
const flushEveryMs = 1_000
const batchRowsMax = 2_000
/** Rows that wait while the service is down; beyond, counts are lost and their number is measured. */
const waitingRowsMax = 100_000
const timeoutMs = 5_000
/** How long the last batches of a gateway that closes may take altogether. */
const closeTimeoutMs = 5_000

/** Requests of one key on one route in one minute, by the hundreds of their statuses. */
interface Counts {
  readonly requests: number[]
  readonly units: number[]
}

/** The counter of one route: what is the same for all of its requests is known before the first. */
export interface RouteUsage {
  /** Counts a request that was answered with `status`, and the units of a quota that it took. */
  count(keyId: string, status: number, units: number): void
}

interface Row {
  readonly keyId: string
  readonly route: string
  readonly statusClass: string
  readonly minuteMs: number
  readonly requests: number
  readonly units: number
}

interface Batch {
  readonly sequence: number
  readonly rows: readonly Row[]
  readonly lastUsed: readonly { readonly keyId: string; readonly atMs: number }[]
}

export interface UsageBufferDeps {
  readonly clock: Clock
  readonly log: Pick<GatewayLog, 'warn'>
  readonly metrics: Metrics
}

/**
 * Counts requests by key, route, status class and minute, and sends the counts once a second. A batch has the number that
 * follows the one before it; the next one is made when this one is known to be counted, so each counts once.
 */
export class UsageBuffer {
  readonly #ask: () => Client<typeof access>
  readonly #clock: Clock
  readonly #log: UsageBufferDeps['log']
  readonly #seldom: Seldom
  readonly #lost: { add(by: number): void }
  readonly #instance = randomHex(16)
  readonly #routes = new Map<string, Map<string, Counts>>()
  readonly #lastUsed = new Map<string, number>()
  readonly #rows: Row[] = []
  #open = 0
  #minute = 0
  #sequence = 0
  #sending: Batch | undefined
  #timer: Timer | undefined
  #flushing: Promise<boolean> = Promise.resolve(true)

  constructor(ask: () => Client<typeof access>, { clock, log, metrics }: UsageBufferDeps) {
    this.#ask = ask
    this.#clock = clock
    this.#log = log
    this.#seldom = new Seldom(clock)
    this.#lost = metrics
      .counter('trestle_gateway_usage_lost_total', { help: 'Requests whose usage was not kept: too much was waiting.' })
      .with()
  }

  route(name: string): RouteUsage {
    const counts = this.#routes.get(name) ?? new Map<string, Counts>()
    this.#routes.set(name, counts)
    return { count: (keyId, status, units) => this.#count(counts, keyId, status, units) }
  }

  /** Notes that a key was used. */
  used(keyId: string, atMs: number): void {
    if (this.#lastUsed.size < batchRowsMax || this.#lastUsed.has(keyId)) this.#lastUsed.set(keyId, atMs)
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#flushing = this.flush().finally(() => this.start())
    }, flushEveryMs)
  }

  /** Sends what was counted until now; `false` when the service does not take it: it is kept. */
  async flush(): Promise<boolean> {
    this.#seal()
    for (;;) {
      this.#sending ??= this.#nextBatch()
      if (this.#sending === undefined) return true
      const answer = await this.#ask().recordUsage.try(
        { instance: this.#instance, ...sendable(this.#sending) },
        { timeoutMs },
      )
      if (!answer.ok) {
        this.#missed(answer.error)
        return false
      }
      this.#sending = undefined
    }
  }

  /** Sends what is left, if the service takes it. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#flushing
    this.#timer?.cancel()
    const ended = new Promise<boolean>((resolve) => void this.#clock.setTimeout(() => resolve(false), closeTimeoutMs))
    if (!(await Promise.race([this.flush(), ended]))) {
      this.#log.warn(
        { rows: this.#rows.length + (this.#sending?.rows.length ?? 0) },
        'the last usage could not be recorded',
      )
    }
  }

  #count(counts: Map<string, Counts>, keyId: string, status: number, units: number): void {
    const minute = Math.floor(this.#clock.now() / minuteMs)
    if (minute !== this.#minute) {
      this.#seal()
      this.#minute = minute
    }
    let cell = counts.get(keyId)
    if (cell === undefined) {
      if (this.#open + this.#rows.length >= waitingRowsMax) {
        this.#lost.add(1)
        return
      }
      this.#open += 1
      cell = { requests: [0, 0, 0, 0, 0, 0], units: [0, 0, 0, 0, 0, 0] }
      counts.set(keyId, cell)
    }
    const hundreds = status >= 100 && status < 600 ? Math.floor(status / 100) : 5
    cell.requests[hundreds] = (cell.requests[hundreds] as number) + 1
    cell.units[hundreds] = (cell.units[hundreds] as number) + units
  }

  /** Makes rows of what was counted in this minute so far. */
  #seal(): void {
    if (this.#open === 0) return
    for (const [route, counts] of this.#routes) {
      for (const [keyId, { requests, units }] of counts) {
        requests.forEach((count, hundreds) => {
          if (count === 0) return
          const statusClass = `${hundreds}xx`
          this.#rows.push({
            keyId,
            route,
            statusClass,
            minuteMs: this.#minute * minuteMs,
            requests: count,
            units: units[hundreds] ?? 0,
          })
        })
      }
      counts.clear()
    }
    this.#open = 0
  }

  #nextBatch(): Batch | undefined {
    if (this.#rows.length === 0 && this.#lastUsed.size === 0) return undefined
    this.#sequence += 1
    const lastUsed = [...this.#lastUsed].map(([keyId, atMs]) => ({ keyId, atMs }))
    this.#lastUsed.clear()
    return { sequence: this.#sequence, rows: this.#rows.splice(0, batchRowsMax), lastUsed }
  }

  #missed(error: unknown): void {
    const unsaid = this.#seldom.again('usage')
    if (unsaid !== undefined) {
      this.#log.warn({ err: error, unsaid, waitingRows: this.#rows.length }, 'usage cannot be recorded: it waits')
    }
  }
}

function sendable({ sequence, rows, lastUsed }: Batch) {
  return { sequence, rows: [...rows], lastUsed: [...lastUsed] }
}

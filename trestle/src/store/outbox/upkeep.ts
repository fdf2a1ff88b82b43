import type { Clock, Timer } from '../../std/clock.ts'
import { crashPoint } from '../../std/crash-points.ts'
import { Seldom } from '../../std/seldom.ts'
import { transactionScope } from '../../std/transaction-scope.ts'
import type { StoreLog } from '../provider.ts'
import type { PlatformStatement } from '../store.ts'
import type { Ask } from './feed-rows.ts'
import { HeldWatch } from './held-watch.ts'
import { type Outbox, renewEpoch } from './outbox.ts'
import type { ReaderPlaces } from './reader-places.ts'
import { type InTransaction, retain } from './retention.ts'

/** How much of what was published is kept. */
export interface OutboxLimits {
  /** Days that events are kept at least, and longer while a reader has not read them; default 7. */
  readonly retentionDays: number
  /** Bytes on disk beyond which publishing answers `overloaded`; default 10 GiB. */
  readonly maxBytes: number
}

export const defaultOutboxLimits: OutboxLimits = { retentionDays: 7, maxBytes: 10 * 2 ** 30 }

const tickMs = 10_000
/** Retention is looked after every so many ticks: every ten minutes. */
const retentionTicks = 60
const readerForgottenAfterDays = 90
const sayAgainMs = 24 * 3_600_000

const readSize = `select coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::text as bytes
from pg_inherits i where i.inhparent = 'trestle.outbox'::regclass`

export interface UpkeepDeps {
  readonly ask: Ask
  readonly write: PlatformStatement
  readonly inTransaction: InTransaction
  readonly outbox: Outbox
  readonly places: ReaderPlaces
  readonly limits: OutboxLimits
  readonly clock: Clock
  readonly log: StoreLog
}

/** What looks after an outbox while its service runs: its size, its partitions, its readers, what holds it back. */
export class Upkeep {
  readonly held: HeldWatch
  readonly #deps: UpkeepDeps
  readonly #failed: Seldom
  readonly #kept: Seldom
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()
  #ticks = 0
  #bytes = 0
  #stopped = false

  constructor(deps: UpkeepDeps) {
    this.#deps = deps
    this.held = new HeldWatch(deps.clock, deps.log)
    this.#failed = new Seldom(deps.clock, 60_000)
    this.#kept = new Seldom(deps.clock, sayAgainMs)
  }

  /** Bytes on disk, as of the last look. */
  get bytes(): number {
    return this.#bytes
  }

  /** Begins, once. */
  start(): void {
    if (this.#timer !== undefined || this.#stopped) return
    this.#schedule(1_000)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
    // Without these places more is kept than need be, until the readers say theirs again.
    await this.#deps.places.flush(this.#deps.write).catch(() => undefined)
  }

  #schedule(ms: number): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#running = transactionScope
        .outside(() => this.tick())
        .catch((error: unknown) => this.#say(error))
        .finally(() => {
          if (!this.#stopped) this.#schedule(tickMs)
        })
    }, ms)
  }

  /** One round. */
  async tick(): Promise<void> {
    const { ask, write, outbox, places, limits } = this.#deps
    const { rows } = await ask(readSize, [])
    this.#bytes = Number(rows[0]?.['bytes'])
    outbox.full = this.#bytes > limits.maxBytes ? limits.maxBytes : undefined
    await this.held.check(ask)
    await places.flush(write)
    const turn = this.#ticks % retentionTicks
    this.#ticks += 1
    if (turn !== 0) return
    await write(renewEpoch, [])
    await this.retain()
  }

  async retain(): Promise<void> {
    const { inTransaction, limits, log } = this.#deps
    crashPoint('outbox.before-upkeep')
    const { retentionDays } = limits
    const { dropped, keptFor, forgotten } = await retain({ inTransaction, retentionDays, readerForgottenAfterDays })
    crashPoint('outbox.after-upkeep')
    if (dropped.length > 0) log.info({ partitions: dropped }, 'events past their retention were dropped')
    for (const { reader, stream } of forgotten) {
      log.warn(
        { reader, stream, days: readerForgottenAfterDays },
        'a reader of events was forgotten: it has not been seen',
      )
    }
    const [first] = keptFor
    if (first !== undefined && this.#kept.again(first.reader) !== undefined) {
      log.warn({ ...first, retentionDays }, 'events past their retention are kept for a reader that has not read them')
    }
  }

  /** The next round may succeed: the database may be away, or a lock was not free. */
  #say(error: unknown): void {
    if (this.#stopped) return
    const unsaid = this.#failed.again('failed')
    if (unsaid !== undefined) this.#deps.log.warn({ err: error, unsaid }, 'the outbox could not be looked after')
  }
}

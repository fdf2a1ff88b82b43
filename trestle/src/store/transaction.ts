import { backoffMs } from '../std/backoff.ts'
import type { Clock } from '../std/clock.ts'
import { crashPoint } from '../std/crash-points.ts'
import type { TraceContext } from '../std/trace-context.ts'
import { insideTransaction, transactionScope } from '../std/transaction-scope.ts'
import { kyselyOver, type StatementRunner } from './connection/dialect.ts'
import type { ExclusivePool } from './connection/exclusive-pool.ts'
import { BrokenConnectionError, NotSentError, type PgConnection, type PgResult } from './connection/pg-connection.ts'
import {
  codeOf,
  endsSession,
  lostAgainstOthers,
  preparedFormIsStale,
  unavailableIfIll,
} from './connection/pg-failure.ts'
import type { PublishBuffer } from './outbox/publish-buffer.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { PlatformStatement, TracedOptions, TransactionOptions, Tx } from './store.ts'
import { StoreError } from './store-error.ts'
import { openTxScope } from './tx-scope.ts'

export interface TransactionDeps {
  readonly pool: ExclusivePool
  readonly clock: Clock
  readonly random: () => number
  readonly outbox: Outbox
}

const defaultTimeoutMs = 30_000
const retryBackoff = { baseMs: 10, maxMs: 500 }

/** What a transaction does; `send` is for the platform's own statements. */
export type TransactionWork<Tables, T> = (tx: Tx<Tables>, send: PlatformStatement) => Promise<T>

/** Runs `work` in a transaction on a connection of its own, again while it loses against others and may be repeated. */
export async function runTransaction<Tables, T>(
  deps: TransactionDeps,
  work: TransactionWork<Tables, T>,
  options: TracedOptions = {},
): Promise<T> {
  if (insideTransaction()) {
    throw new StoreError('nested_transaction', 'store.transaction was called inside store.transaction')
  }
  const { retries = 0, timeoutMs = defaultTimeoutMs } = options
  const endsAt = deps.clock.monotonic() + timeoutMs
  for (let attempt = 0; ; attempt += 1) {
    const leftMs = Math.ceil(endsAt - deps.clock.monotonic())
    try {
      return await attemptOnce(deps, work, options, leftMs)
    } catch (error) {
      if (!lostAgainstOthers(error)) throw error
      if (attempt >= retries || endsAt <= deps.clock.monotonic()) throw lost(error, attempt + 1)
      await wait(deps.clock, backoffMs(attempt, { ...retryBackoff, random: deps.random }))
    }
  }
}

function lost(cause: unknown, tries: number): StoreError {
  return new StoreError('overloaded', `The transaction lost against others ${tries} times and was rolled back`, {
    cause,
  })
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms))
}

async function attemptOnce<Tables, T>(
  deps: TransactionDeps,
  work: TransactionWork<Tables, T>,
  options: TracedOptions,
  timeoutMs: number,
): Promise<T> {
  const connection = await deps.pool.acquire()
  const running = new RunningTransaction<Tables>(connection, deps, timeoutMs)
  const committed = openTxScope(running.tx, deps.pool)
  const send: PlatformStatement = (sql, parameters) => running.statement(sql, parameters)
  try {
    running.begin(options.isolation)
    // Work that hangs must not hold a connection for ever.
    const value = await Promise.race([transactionScope.run(() => work(running.tx, send)), running.expired])
    options.beforeCommit?.(value, send)
    await running.commit(options.trace)
    committed()
    return value
  } catch (error) {
    throw await running.rollback(error)
  } finally {
    running.end()
    deps.pool.release(connection)
  }
}

/** One transaction on one connection. Its statements are pipelined: BEGIN is not waited for. */
class RunningTransaction<Tables> implements StatementRunner {
  readonly tx: Tx<Tables>
  /** Rejects when the time is up. */
  readonly expired: Promise<never>
  #expire: (reason: Error) => void = () => undefined
  readonly #connection: PgConnection
  readonly #timer: { cancel(): void }
  readonly #timeoutMs: number
  #state: 'open' | 'committing' | 'over' = 'open'
  #firstError: unknown
  #timedOut = false
  /** The time was up while the database had nothing to answer: what the work waited for was something else. */
  #idle = false
  #cursors = 0
  readonly #outbox: Outbox
  readonly #published: PublishBuffer

  constructor(connection: PgConnection, { clock, outbox }: TransactionDeps, timeoutMs: number) {
    this.#connection = connection
    this.#outbox = outbox
    this.#published = outbox.newBuffer()
    this.#timeoutMs = timeoutMs
    this.expired = new Promise((_, reject) => {
      this.#expire = reject
    })
    this.expired.catch(() => undefined)
    this.#timer = clock.setTimeout(() => this.#onTimeout(), timeoutMs)
    this.tx = {
      db: kyselyOver<Tables>(this),
      publish: (event, payload) => {
        this.#checkOpen()
        this.#published.add(event, payload)
      },
    }
  }

  begin(isolation: TransactionOptions['isolation']): void {
    const begin = isolation === undefined ? 'begin' : `begin isolation level ${isolation}`
    this.#observe(this.#connection.command(begin))
    // The server's own limit guards against a process that hangs. A longer transaction lives under our timer alone.
    if (this.#timeoutMs > defaultTimeoutMs && this.#connection.serverVersion >= 17) {
      this.#observe(this.#connection.command('set local transaction_timeout = 0'))
    }
    if (this.#timeoutMs > defaultTimeoutMs) {
      this.#observe(this.#connection.command('set local statement_timeout = 0'))
    }
  }

  async statement(sql: string, parameters: readonly unknown[]): Promise<PgResult> {
    this.#checkOpen()
    const answer = this.#connection.execute(sql, parameters)
    this.#observe(answer)
    return await answer
  }

  async *stream(sql: string, parameters: readonly unknown[], batchRows: number): AsyncIterableIterator<PgResult> {
    this.#cursors += 1
    const cursor = `trestle_cursor_${this.#cursors}`
    await this.#tell(`declare ${cursor} no scroll cursor for ${sql}`, parameters)
    try {
      for (;;) {
        const batch = await this.#tell(`fetch ${Math.max(1, Math.floor(batchRows))} from ${cursor}`)
        if (batch.rows.length === 0) return
        yield batch
      }
    } finally {
      if (this.#state === 'open' && this.#firstError === undefined) await this.#tell(`close ${cursor}`)
    }
  }

  /**
   * What was published goes along with COMMIT, in one flight. A commit is one only when the server says COMMIT: it
   * answers ROLLBACK when a statement had failed before.
   */
  async commit(trace: TraceContext | undefined): Promise<void> {
    if (this.#timedOut) throw this.#firstError
    this.#state = 'committing'
    const statements = this.#outbox.statementsFor(this.#connection, this.#published, trace)
    for (const { sql, parameters } of statements) this.#observe(this.#connection.execute(sql, parameters))
    crashPoint('outbox.before-commit')
    const { command } = await this.#connection.command('commit')
    crashPoint('outbox.after-commit')
    this.#state = 'over'
    if (command !== 'COMMIT') throw this.#firstError ?? new Error(`COMMIT was answered with ${command}`)
    if (statements.length > 0) this.#outbox.committed(this.#connection)
  }

  /** Ends the transaction because of `reason`, and returns what to report. */
  async rollback(reason: unknown): Promise<unknown> {
    const committing = this.#state === 'committing'
    const reported = committing ? this.#commitFailure(reason) : this.#failure(reason)
    if (this.#state !== 'over' && !this.#connection.broken) {
      this.#state = 'over'
      await this.#connection.command('rollback').catch((cause: Error) => this.#connection.destroy(cause))
    }
    return reported
  }

  end(): void {
    this.#state = 'over'
    this.#timer.cancel()
  }

  /** A deferred constraint may refuse the commit: that is an answer. Without an answer nobody knows. */
  #commitFailure(error: unknown): unknown {
    if (error instanceof NotSentError) return unavailable(error)
    if (error instanceof BrokenConnectionError || endsSession(error)) {
      return new StoreError('outcome_unknown', "The connection broke before the commit's answer came", { cause: error })
    }
    return unavailableIfIll(error)
  }

  /** Before the commit was sent: whatever happened, nothing was written. */
  #failure(error: unknown): unknown {
    const first = this.#firstError
    if (this.#timedOut || codeOf(first) === '25P04') {
      const took = `The transaction took longer than ${this.#timeoutMs} ms and was rolled back`
      const why = this.#idle ? `${took}; its work waited for something else than the database` : took
      return new StoreError('overloaded', why, { cause: error, details: { idle: this.#idle } })
    }
    if (codeOf(error) === '25P02' && first !== undefined) return this.#failure(first)
    if (error instanceof BrokenConnectionError || error instanceof NotSentError || endsSession(error)) {
      return unavailable(first ?? error)
    }
    if (preparedFormIsStale(error)) {
      const why = 'A table has changed since the statement was prepared; the transaction was rolled back'
      return new StoreError('unavailable', why, { cause: error })
    }
    return unavailableIfIll(error)
  }

  async #tell(text: string, parameters?: readonly unknown[]): Promise<PgResult> {
    this.#checkOpen()
    const answer = this.#connection.command(text, parameters)
    this.#observe(answer)
    return await answer
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new Error('The transaction is over: it cannot be used any more')
  }

  #observe(answer: Promise<unknown>): void {
    answer.catch((error: unknown) => {
      this.#firstError ??= error
    })
  }

  #onTimeout(): void {
    this.#timedOut = this.#state !== 'committing'
    this.#idle = this.#connection.inFlight === 0
    const reason = new Error(`the transaction took longer than ${this.#timeoutMs} ms`)
    this.#firstError ??= reason
    this.#connection.destroy(reason)
    this.#expire(reason)
  }
}

function unavailable(cause: unknown): StoreError {
  return new StoreError('unavailable', 'The connection to the database was lost; the transaction was rolled back', {
    cause,
  })
}

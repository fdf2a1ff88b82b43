import pg, { Client, type ClientConfig, Query } from 'pg'
import type { Clock, Timer } from '../../std/clock.ts'
import { StoreError } from '../store-error.ts'
import { codeOf, connectFailure, endsSession, hideRowData, isFromServer, unavailableIfIll } from './pg-failure.ts'
import { StatementNames } from './statement-names.ts'

export interface PgConnectionOptions {
  readonly url: string
  readonly applicationName: string
  /** Given to the server as `-c name=value`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly connectTimeoutMs: number
  /** Without any answer for so long while something was asked, the connection counts as broken. */
  readonly silenceTimeoutMs: number
  readonly statementNamesMax: number
  readonly clock: Clock
}

export interface PgResult {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: Record<string, unknown>[]
}

/** Said of a statement that was never written to the socket. */
export class NotSentError extends Error {}

/** Said of a statement whose connection broke before its answer came. */
export class BrokenConnectionError extends Error {}

// The driver keeps per connection which names the server knows; forgetting one has to be told to it.
interface DriverInternals {
  readonly connection: {
    readonly parsedStatements: Record<string, string>
    readonly submittedNamedStatements: Record<string, string>
    readonly stream: { destroy(error?: Error): void; cork(): void; uncork(): void }
    on(event: 'parameterStatus', listener: (message: { parameterName: string; parameterValue: string }) => void): void
  }
}

// The driver's own conversion; its types do not name it.
const { utils } = pg as unknown as { utils: { prepareValue(this: void, value: unknown): unknown } }

/** One connection to the server. Statements are pipelined: each is written at once, answers come in order. */
export class PgConnection {
  readonly #client: Client & DriverInternals
  readonly #names: StatementNames
  readonly #options: PgConnectionOptions
  readonly #closeListeners: (() => void)[] = []
  #serverVersion = 0
  #inFlight = 0
  #answeredAt = 0
  #gathering = false
  #watch: Timer | undefined
  #broken: Error | undefined
  #ended = false

  private constructor(options: PgConnectionOptions) {
    this.#options = options
    this.#names = new StatementNames(options.statementNamesMax)
    const settings = Object.entries(options.settings ?? {}).map(([name, value]) => `-c ${name}=${value}`)
    this.#client = new Client({
      connectionString: options.url,
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      pipeline: true,
      ...(settings.length > 0 ? { options: settings.join(' ') } : {}),
    } as ClientConfig) as Client & DriverInternals
    this.#client.on('error', (error) => this.#break(error))
    this.#client.on('end', () => this.#break(new Error('the server closed the connection')))
    this.#client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === 'server_version') this.#serverVersion = Number.parseInt(parameterValue, 10)
    })
  }

  /** @throws StoreError `unavailable`, or `overloaded` when the server has no connection left */
  static async open(options: PgConnectionOptions): Promise<PgConnection> {
    const connection = new PgConnection(options)
    try {
      await connection.#client.connect()
    } catch (error) {
      connection.destroy(error instanceof Error ? error : new Error(String(error)))
      throw connectFailure(error)
    }
    return connection
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** How long those who asked have been waiting for any answer, milliseconds. */
  get silentMs(): number {
    return this.#inFlight === 0 ? 0 : this.#options.clock.monotonic() - this.#answeredAt
  }

  /** Major version of the server. */
  get serverVersion(): number {
    return this.#serverVersion
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener)
  }

  /** One statement, prepared under a name when it is seen for the first time. */
  async execute(sql: string, parameters: readonly unknown[]): Promise<PgResult> {
    // A value that cannot be written must fail before anything is sent: half a statement upsets the pipeline.
    const values = parameters.map((value) => utils.prepareValue(value))
    const { name, evicted } = this.#names.nameFor(sql)
    if (evicted !== undefined) this.#deallocate(evicted)
    return await this.#send({ name, text: sql, values })
  }

  /** Text as it is, unnamed; it may hold several statements when it has no parameters. */
  async command(text: string, parameters?: readonly unknown[]): Promise<PgResult> {
    return await this.#send(parameters === undefined ? { text } : { text, values: [...parameters] })
  }

  /** Gives up the prepared form of `sql`. */
  forget(sql: string): void {
    const name = this.#names.forget(sql)
    if (name !== undefined) this.#deallocate(name)
  }

  /** `idle`, or inside a transaction that is `open` or `failed`. As of the last answer. */
  get transactionState(): 'idle' | 'open' | 'failed' {
    const status = (this.#client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus()
    return status === 'T' ? 'open' : status === 'E' ? 'failed' : 'idle'
  }

  /** Cuts the connection; what was asked fails as broken. */
  destroy(reason: Error): void {
    this.#break(reason)
    this.#client.connection.stream.destroy()
  }

  /** Says goodbye after what was asked has been answered. */
  async end(): Promise<void> {
    this.#ended = true
    if (this.broken) return
    await this.#client.end().catch(() => undefined)
  }

  async #send(query: { name?: string; text: string; values?: unknown[] }): Promise<PgResult> {
    if (this.#broken !== undefined || this.#ended) {
      throw new NotSentError('the connection was closed before', { cause: this.#broken })
    }
    this.#inFlight += 1
    if (this.#inFlight === 1) this.#answeredAt = this.#options.clock.monotonic()
    this.#watchSilence()
    this.#gather()
    try {
      return await this.#ask(query)
    } catch (error) {
      throw this.#failed(query, error)
    } finally {
      this.#inFlight -= 1
      this.#answeredAt = this.#options.clock.monotonic()
    }
  }

  /** Handed to the driver as its own object: of a description it would make a copy, property by property. */
  #ask({ name, text, values }: { name?: string; text: string; values?: unknown[] }): Promise<PgResult> {
    return new Promise((resolve, reject) => {
      const query: Query & { name?: string } = new Query(text, values, (error, result) => {
        if (error) reject(error)
        else resolve(result as PgResult)
      })
      if (name !== undefined) query.name = name
      this.#client.query(query)
    })
  }

  /** What is asked within one turn of the event loop is written in one piece: a system call costs as much as a read. */
  #gather(): void {
    if (this.#gathering) return
    this.#gathering = true
    const { stream } = this.#client.connection
    stream.cork()
    setImmediate(() => {
      this.#gathering = false
      stream.uncork()
    })
  }

  #failed(query: { readonly name?: string; readonly text: string }, error: unknown): unknown {
    hideRowData(error)
    // It was made where the answer came in; who asked is more telling.
    if (error instanceof Error) Error.captureStackTrace(error)
    if (endsSession(error)) this.destroy(error as Error)
    if (!isFromServer(error) && this.#broken !== undefined) {
      return new BrokenConnectionError('the connection broke before the answer came', { cause: this.#broken })
    }
    // 0A000: the columns of a named `select *` changed. 26000: the statement ahead of us that prepared it failed.
    const code = codeOf(error)
    if (query.name !== undefined && (code === '0A000' || code === '26000')) this.forget(query.text)
    return error
  }

  #deallocate(name: string): void {
    const { parsedStatements, submittedNamedStatements } = this.#client.connection
    // Asking for a name that the server does not have would fail, and with it the transaction around us.
    if (parsedStatements[name] === undefined && submittedNamedStatements[name] === undefined) return
    // In a failed transaction the server refuses; the name stays there, unused, until the connection is closed.
    void this.#send({ text: `deallocate ${name}` })
      .catch(() => undefined)
      .finally(() => delete parsedStatements[name])
  }

  #watchSilence(): void {
    if (this.#watch !== undefined) return
    const { clock, silenceTimeoutMs } = this.#options
    this.#watch = clock.setTimeout(() => {
      this.#watch = undefined
      if (this.#inFlight === 0 || this.broken) return
      const silentMs = clock.monotonic() - this.#answeredAt
      if (silentMs >= silenceTimeoutMs) this.destroy(new Error(`no answer for ${Math.round(silentMs)} ms`))
      else this.#watchSilence()
    }, silenceTimeoutMs)
  }

  #break(error: Error): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    this.#watch?.cancel()
    for (const listener of this.#closeListeners) listener()
  }
}

/** Turns what is left of a broken connection into the store's error for a statement that stood on its own. */
export function statementFailure(error: unknown, effect: 'read' | 'write'): unknown {
  if (error instanceof NotSentError) {
    return new StoreError('unavailable', 'The connection to the database was lost before the statement was sent', {
      cause: error,
    })
  }
  if (error instanceof BrokenConnectionError || endsSession(error)) {
    return effect === 'read'
      ? new StoreError('unavailable', 'The connection to the database was lost during a read', { cause: error })
      : new StoreError('outcome_unknown', 'The connection to the database was lost during a write', { cause: error })
  }
  return unavailableIfIll(error)
}

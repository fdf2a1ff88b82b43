import { backoffMs } from '../std/backoff.ts'
import type { Clock } from '../std/clock.ts'
import { crashPoint } from '../std/crash-points.ts'
import { codeOf, isFromServer } from '../store/connection/pg-failure.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Instance } from './instance.ts'
import { byKey } from './lock-order.ts'
import type { Move } from './place.ts'
import { type Row, runAlone, runWithin } from './statement.ts'

/** A line of an instance's journal. */
export interface Entry {
  readonly step: string | undefined
  readonly action: 'run' | 'undo' | 'wait' | 'write' | 'end' | 'cancel' | 'stuck' | 'retry' | 'resolve' | 'migrate'
  readonly outcome: 'done' | 'failed' | 'timed_out' | 'skipped'
  /** JSON. */
  readonly result?: string | undefined
  /** JSON. */
  readonly error?: string | undefined
  readonly tries: number
  readonly beganAt: number
  readonly at: number
}

/** One step of an instance's life: lines for the journal, and where it stands then. */
export interface Transition {
  readonly instance: Instance
  readonly entries: readonly Entry[]
  readonly move: Move
  readonly version?: number
  readonly failure?: string
  readonly lastError?: string
  /** Holds only if this event has not come yet. */
  readonly unlessArrived?: string
}

/** `lost`: another engine has it, or something else was decided meanwhile; nothing was written. */
export type Written = 'kept' | 'let_go' | 'lost'

/**
 * One statement for many instances. Each row must match its fence and its revision; what does not is left as it is. The
 * event that an instance is about to wait for may have come: then whoever writes keeps it. That is looked up in the row
 * itself, whose newest version the database locks, so an event that commits at the same moment is not missed.
 * The rows are looked up, and locked, in the order in which they are given (see `byKey`): these comparisons can neither be
 * hashed nor merged, so that no plan reads more than one row of the table in an order of its own. `coalesce` is always true,
 * and taken for seldom true by the planner: expecting few rows it looks each up by its id. Without it, a plan that is made while
 * the table is small, and kept, reads the table from end to end for every step.
 */
const advance = `
with t as (
  select * from json_to_recordset($1::json) as t(id uuid, fence bigint, revision integer, lines integer, version integer,
    state text, undoing boolean, past_pivot boolean, step text, began_at timestamptz, due_at timestamptz, tries integer, spent_ms integer,
    round integer, last_error text, failure text, keep boolean, awaits text, unless_arrived text, ended_at timestamptz)
)
update trestle.sagas s set revision = s.revision + t.lines, version = t.version, state = t.state, undoing = t.undoing,
  past_pivot = t.past_pivot, step = t.step, began_at = t.began_at, tries = t.tries, spent_ms = t.spent_ms, round = t.round,
  last_error = t.last_error, failure = coalesce(t.failure, s.failure), ended_at = t.ended_at,
  owner = case when t.keep or s.arrivals ? t.awaits then s.owner end,
  due_at = case when t.keep or s.arrivals ? t.awaits then null else t.due_at end
from t
where s.id = any (array[t.id]) and coalesce(t.lines, 0) = t.lines
  and (s.fence, s.revision) is not distinct from (t.fence, t.revision)
  and (t.unless_arrived is null or not s.arrivals ? t.unless_arrived)
returning s.id, s.owner is not null as kept, case when s.state = 'waiting' then s.arrivals end as arrivals`

const writeLines = `
insert into trestle.saga_steps (saga, n, step, action, outcome, result, error, tries, began_at, at)
select saga, n, step, action, outcome, result, error, tries, began_at, at
from json_to_recordset($1::json) as l(saga uuid, n integer, step text, action text, outcome text, result text, error text,
  tries integer, began_at timestamptz, at timestamptz)`

const advanceAndWrite = `
with u as (${advance.replaceAll('$1', '$1')}
), l as (
  ${writeLines.replaceAll('$1', '$2')} where saga in (select id from u)
)
select id, kept, arrivals from u`

/** Lines are numbered by the revisions that they make. */
function linesOf({ instance, entries }: Transition): object[] {
  return entries.map((entry, index) => ({
    saga: instance.id,
    n: instance.revision + index + 1,
    step: entry.step,
    action: entry.action,
    outcome: entry.outcome,
    result: entry.result,
    error: entry.error,
    tries: entry.tries,
    began_at: iso(entry.beganAt),
    at: iso(entry.at),
  }))
}

function rowOf({ instance, entries, move, version, failure, lastError, unlessArrived }: Transition): object {
  const { place } = move
  return {
    id: instance.id,
    fence: instance.fence,
    revision: instance.revision,
    lines: Math.max(1, entries.length),
    version: version ?? instance.spec.version,
    state: place.state,
    undoing: place.undoing,
    past_pivot: place.pastPivot,
    step: place.step,
    began_at: iso(place.beganAt),
    due_at: move.dueAt === undefined ? undefined : iso(move.dueAt),
    tries: place.tries,
    spent_ms: Math.round(place.spentMs),
    round: place.round,
    last_error: lastError === undefined ? undefined : storable(lastError),
    failure,
    keep: move.keep,
    awaits: move.awaits,
    unless_arrived: unlessArrived,
    ended_at: move.ended === true ? iso(place.beganAt) : undefined,
  }
}

/** Text that the database takes as it is: it knows neither zero characters nor halves of those that take two. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** As the database reads it. */
export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

interface Queued {
  readonly transition: Transition
  readonly settle: (written: Written) => void
  readonly refuse: (why: UnwritableError) => void
}

/** The database takes everything but this. */
export class UnwritableError extends Error {}

export interface JournalDeps {
  readonly store: Store<unknown>
  readonly clock: Clock
  readonly random: () => number
  /** The engine is gone: nothing needs to be written any more. */
  readonly signal: AbortSignal
  /** Told of every try that failed; it is repeated. */
  readonly onFailure?: (error: unknown) => void
}

function inLockOrder(a: Queued, b: Queued): number {
  return byKey(a.transition.instance, b.transition.instance)
}

/** Statements on their way at once: while one is being made certain, the next is prepared. */
const flushesMax = 2
const batchMax = 200

/** The journal of all instances of an engine. What comes while others are being written is written with the next. */
export class Journal {
  readonly #deps: JournalDeps
  #queue: Queued[] = []
  #flushing = 0

  constructor(deps: JournalDeps) {
    this.#deps = deps
  }

  /**
   * Resolves when it is certain; repeats while the database is away, full or closed to us. The instance then stands where
   * `move` says.
   * @throws UnwritableError when it is this that the database refuses
   */
  write(transition: Transition): Promise<Written> {
    return new Promise((settle, refuse) => {
      this.#queue.push({ transition, settle, refuse })
      if (this.#queue.length === 1) setImmediate(() => this.#flushMore())
    })
  }

  #flushMore(): void {
    while (this.#queue.length > 0 && this.#flushing < flushesMax) {
      this.#flushing += 1
      void this.#flush(this.#queue.splice(0, batchMax).toSorted(inLockOrder)).finally(() => {
        this.#flushing -= 1
        this.#flushMore()
      })
    }
  }

  async #flush(batch: readonly Queued[]): Promise<void> {
    const { clock, random, signal, onFailure } = this.#deps
    const rows = JSON.stringify(batch.map(({ transition }) => rowOf(transition)))
    const lines = JSON.stringify(batch.flatMap(({ transition }) => linesOf(transition)))
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        crashPoint('saga.before-journal')
        const written = await runAlone(this.#deps.store, advanceAndWrite, [rows, lines])
        crashPoint('saga.after-journal')
        const known = tries === 0 ? written : [...written, ...(await this.#writtenBefore(batch, written))]
        settleAll(batch, known)
        return
      } catch (error) {
        onFailure?.(error)
        if (isOfTheData(error)) return this.#flushApart(batch, error)
        // Whatever it was: what has been written matches no more, and what has not is written now.
        const waitMs = backoffMs(tries, { baseMs: 20, maxMs: 2_000, random })
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, waitMs))
      }
    }
    for (const { settle } of batch) settle('lost')
  }

  /** One of them is what the database refuses: the others do not wait for it. */
  async #flushApart(batch: readonly Queued[], cause: unknown): Promise<void> {
    const [first, ...more] = batch
    if (more.length > 0) for (const each of batch) await this.#flush([each])
    else first?.refuse(new UnwritableError('the journal cannot take what it is to write', { cause }))
  }

  /** Of what matched nothing in a repetition: what the first try had written although its answer was lost. */
  async #writtenBefore(batch: readonly Queued[], written: readonly Row[]): Promise<Row[]> {
    const found = new Set(written.map((row) => row['id']))
    const open = batch.filter(({ transition }) => !found.has(transition.instance.id))
    const expected = open.map(({ transition: { instance, entries } }) => ({
      id: instance.id,
      fence: instance.fence,
      revision: instance.revision + Math.max(1, entries.length),
    }))
    return expected.length === 0 ? [] : runAlone(this.#deps.store, whereTheyStand, [JSON.stringify(expected)])
  }
}

/** The database has read the values, and they are what is wrong: the same again fails again. */
function isOfTheData(error: unknown): boolean {
  return isFromServer(error) && /^(?:22|23)/.test(codeOf(error) ?? '')
}

const whereTheyStand = `
select s.id, s.owner is not null as kept, case when s.state = 'waiting' then s.arrivals end as arrivals
from json_to_recordset($1::json) as t(id uuid, fence bigint, revision integer)
join trestle.sagas s on s.id = t.id and s.fence = t.fence and s.revision = t.revision`

function settleAll(batch: readonly Queued[], written: readonly Row[]): void {
  const byId = new Map(written.map((row) => [row['id'], row]))
  for (const { transition, settle } of batch) settle(settled(transition, byId.get(transition.instance.id)))
}

/** Takes over into the instance what the row now says. */
function settled({ instance, entries, move }: Transition, row: Row | undefined): Written {
  if (row === undefined) return 'lost'
  instance.revision += Math.max(1, entries.length)
  instance.place = move.place
  if (row['arrivals'] !== null) instance.arrivals = row['arrivals'] as Record<string, string>
  return row['kept'] === true ? 'kept' : 'let_go'
}

/** The instance is no longer ours: the transaction must not commit. */
export class LostInstance extends Error {}

/**
 * The same within a transaction of the owner's: `work` runs between, and its value becomes the result of the last line.
 * The row is locked first, so that a cancellation and another engine wait, and what is lost writes nothing.
 */
export async function writeWithin(
  // oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service
  tx: Tx<any>,
  transition: Transition,
  work: () => Promise<Entry>,
): Promise<() => Written> {
  const rows = runWithin(tx, advance, [
    JSON.stringify([rowOf({ ...transition, entries: [...transition.entries, placeholder] })]),
  ])
  // Awaited below; work that fails first must not leave it unhandled.
  rows.catch(() => undefined)
  const last = await work()
  crashPoint('saga.after-write-work')
  const complete = { ...transition, entries: [...transition.entries, last] }
  // Not waited for: they go out together with COMMIT, which fails when they fail.
  runWithin(tx, writeLines, [JSON.stringify(linesOf(complete))]).catch(() => undefined)
  const [row] = await rows
  if (row === undefined) throw new LostInstance(`saga ${transition.instance.id} is no longer ours`)
  return () => settled(complete, row)
}

const placeholder: Entry = { step: undefined, action: 'write', outcome: 'done', tries: 0, beganAt: 0, at: 0 }

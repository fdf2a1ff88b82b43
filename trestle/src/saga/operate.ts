import type { SagaDefinition } from '../call/saga-definition.ts'
import type { Resolution, SagaLine, SagaOperations, SagaSummary } from '../call/saga-operations.ts'
import type { Clock } from '../std/clock.ts'
import type { Store } from '../store/store.ts'
import { afterCommit } from '../store/tx-scope.ts'
import { cancelWithin, reasonMaxChars } from './cancel-instance.ts'
import { specOf } from './define-saga.ts'
import { type Instance, instanceColumns, readInstance } from './instance.ts'
import { iso, type Transition, writeWithin } from './journal.ts'
import { afterCurrent, migratedPlace, type Move, undoFrom } from './place.ts'
import { type Row, runAlone, runWithin } from './statement.ts'
import { specFor, versionsOf } from './versions.ts'

export interface OperateDeps {
  readonly store: Store<unknown>
  readonly clock: Clock
  readonly newId: () => string
  /** Told when something has become due. */
  readonly wake: () => void
}

/**
 * The functions behind `trestle sagas`: they read and write the owner's database, so any replica can answer.
 * @example const stuck = await operateSagas(definition.sagas, deps).list({ state: 'stuck' })
 */
export function operateSagas(definitions: readonly SagaDefinition[], deps: OperateDeps): SagaOperations {
  const { store, clock, newId, wake } = deps
  const specs = definitions.map((definition) => specOf(definition))
  const known = versionsOf(specs)
  const isKnown = (row: Row) =>
    known.names.some((name, at) => name === row['name'] && known.versions[at] === row['version'])
  const find = async (id: string) => (await runAlone(store, `${summaryOf} where id = $1`, [id]))[0]
  return {
    async list({ saga, key, state = 'unfinished', limit = 100, before } = {}) {
      const rows = await runAlone(store, listed(state), [
        saga,
        key,
        before === undefined ? undefined : iso(before),
        Math.max(1, Math.min(500, Math.floor(limit))),
      ])
      return rows.map((row) => summary(row, isKnown(row)))
    },
    async show(id) {
      const row = await find(id)
      if (row === undefined) return undefined
      const lines = await runAlone(store, 'select * from trestle.saga_steps where saga = $1 order by n', [id])
      return { summary: summary(row, isKnown(row)), timeline: lines.map(lineOf) }
    },
    async retry(id) {
      const rows = await runAlone(store, retryNow, [id, iso(clock.now())])
      wake()
      if (rows.length > 0) return 'retried'
      return (await find(id)) === undefined ? undefined : 'not_waiting'
    },
    async cancel(id, reason) {
      const row = await find(id)
      if (row === undefined) return undefined
      const more = { nowMs: clock.now(), newId, traceparent: row['traceparent'] as string }
      const [name, version, key] = [row['name'] as string, row['version'] as number, row['key'] as string]
      return store.transaction(async (tx) => {
        afterCommit(tx, wake)
        return cancelWithin(tx, name, version, key, reason, more)
      })
    },
    async resolve(id, resolution, reason) {
      const sql = `select ${instanceColumns} from trestle.sagas s where id = $1 for update`
      return store.transaction(async (tx) => {
        const [row] = await runWithin(tx, sql, [id])
        if (row === undefined) return undefined
        if (row['state'] !== 'stuck') return 'not_stuck'
        if (!isKnown(row)) return 'other_version'
        const instance = readInstance(row, specFor(specs, row['name'] as string, row['version'] as number))
        const transition = resolving(instance, resolution, cut(reason), clock.now())
        const { step, tries, beganAt } = instance.place
        await writeWithin(tx, transition, async () => ({
          step,
          action: 'resolve',
          outcome: resolution === 'continue' ? 'done' : 'skipped',
          error: JSON.stringify({ resolution, reason: cut(reason) }),
          tries,
          beganAt,
          at: clock.now(),
        }))
        afterCommit(tx, wake)
        return 'resolved'
      })
    },
  }
}

/** Where a stuck one goes on. One of an earlier version goes on under this one, and there its step is looked for first. */
function resolving(instance: Instance, resolution: Resolution, reason: string, at: number): Transition {
  if (instance.migratedFrom !== undefined && resolution !== 'undone') instance.place = migratedPlace(instance)
  const move = released(moveFor(instance, resolution, at), instance, at)
  const { step = '' } = instance.place
  const failure = { step, code: 'resolved', detail: reason, details: undefined }
  const why = move.place.undoing && instance.failure === undefined ? { failure: JSON.stringify(failure) } : {}
  return { instance, entries: [], move, ...why }
}

function moveFor(instance: Instance, resolution: Resolution, at: number): Move {
  if (resolution === 'undone') return undoFrom(instance.spec, -1, at)
  if (resolution === 'skip') return afterCurrent(instance, at)
  const { place } = instance
  return {
    place: { ...place, state: 'running', beganAt: at, tries: 0, spentMs: 0, round: place.round + 1 },
    keep: false,
  }
}

/**
 * Who resolves does not go on with it: whoever claims it does. What it is to wait for may have come already; while its row is
 * locked nothing comes.
 */
function released({ awaits, ...move }: Move, { arrivals }: Instance, at: number): Move {
  const goesOn = awaits === undefined ? move.place.state === 'running' : Object.hasOwn(arrivals, awaits)
  return goesOn ? { ...move, keep: false, dueAt: at } : move
}

function cut(reason: string): string {
  return reason.slice(0, reasonMaxChars)
}

const summaryOf = `
select id, name, key, version, state, undoing, step, began_at, due_at, tries, last_error, failure, started_at, ended_at,
  owner is not null as owned, traceparent from trestle.sagas`

/** As text of the statement, not as its parameter: what is unfinished has an index, which a kept plan would not use. */
const isIn = {
  unfinished: 'ended_at is null',
  stuck: "ended_at is null and state = 'stuck'",
  ended: 'ended_at is not null',
  all: 'true',
}

const listed = (state: keyof typeof isIn) => `${summaryOf}
where ${isIn[state]} and ($1::text is null or name = $1) and ($2::text is null or key = $2)
  and ($3::timestamptz is null or started_at < $3)
order by started_at desc limit $4`

const retryNow = `
update trestle.sagas set state = case when state = 'stuck' then 'running' else state end, due_at = $2::timestamptz,
  began_at = case when state = 'stuck' then $2::timestamptz else began_at end, fence = fence + 1
where id = $1 and ended_at is null and owner is null and state <> 'expected' returning id`

function summary(row: Row, known: boolean): SagaSummary {
  const state = row['state'] as SagaSummary['state']
  return {
    id: row['id'] as string,
    saga: row['name'] as string,
    key: row['key'] as string,
    version: row['version'] as number,
    state: state === 'running' && row['undoing'] === true ? 'undoing' : state,
    waitsFor: row['ended_at'] === null ? waitsFor(row, known) : undefined,
    since: timeOf(row['began_at']),
    until: row['state'] === 'waiting' || Number(row['tries']) > 0 ? timeOf(row['due_at']) : undefined,
    tries: row['tries'] as number,
    lastError: (row['last_error'] as string | null) ?? undefined,
    failure: (row['failure'] as string | null) ?? undefined,
    startedAt: timeOf(row['started_at']) as number,
    endedAt: timeOf(row['ended_at']),
  }
}

function waitsFor(row: Row, known: boolean): string {
  const step = (row['step'] as string | null) ?? 'its end'
  const what = row['undoing'] === true ? `the undo of ${step}` : step
  if (row['state'] === 'expected') return 'its start'
  if (!known) return `code that knows version ${String(row['version'])}`
  if (row['state'] === 'stuck') return `somebody to look at ${what}`
  if (row['state'] === 'waiting') return `the event of ${step}`
  if (row['owned'] === true) return `${what}, which is being done`
  return Number(row['tries']) > 0 ? `${what}, to be tried again` : `${what}, to be taken up`
}

function lineOf(row: Row): SagaLine {
  return {
    n: row['n'] as number,
    step: (row['step'] as string | null) ?? undefined,
    action: row['action'] as string,
    outcome: row['outcome'] as string,
    tries: row['tries'] as number,
    beganAt: timeOf(row['began_at']),
    at: timeOf(row['at']) as number,
    result: (row['result'] as string | null) ?? undefined,
    error: (row['error'] as string | null) ?? undefined,
  }
}

function timeOf(value: unknown): number | undefined {
  return value instanceof Date ? value.getTime() : undefined
}

import { newTrace, parseTraceparent, type TraceContext } from '../std/trace-context.ts'
import type { SagaSpec } from './define-saga.ts'
import type { Failure } from './saga.ts'
import { openEvent } from './sealed-event.ts'
import type { Row } from './statement.ts'

/** An instance that an engine has in its hands. */
export interface Instance {
  readonly id: string
  readonly key: string
  readonly spec: SagaSpec
  /** Every write must match both; whoever takes the instance over raises the fence. */
  readonly fence: number
  revision: number
  /** Who owned it when its row was read. */
  readonly owner: string | undefined
  /** Read when it is first asked for. @throws Error when this version of the contract cannot read it */
  readonly event: unknown
  /** The version of another definition under which it stands in the database; its next line says that it was migrated. */
  migratedFrom: number | undefined
  /** What its steps have given back, by name; `undefined` until it is needed and has been read. */
  results: Record<string, unknown> | undefined
  place: Place
  /** Events that have come for it, by `eventId`: their payload as JSON. */
  arrivals: Readonly<Record<string, string>>
  failure: Failure | undefined
  readonly trace: TraceContext
}

/** Where an instance stands. */
export interface Place {
  readonly state: 'expected' | 'running' | 'waiting' | 'stuck' | 'done' | 'undone'
  readonly undoing: boolean
  readonly pastPivot: boolean
  /** `undefined`: at its end, on the way there the last transaction is missing. */
  readonly step: string | undefined
  /** When this step began, milliseconds since 1970. */
  readonly beganAt: number
  readonly tries: number
  /** Time that the step will have taken when it is taken up again, however the wall clock was set meanwhile. */
  readonly spentMs: number
  readonly round: number
}

/** What tells the events of all contracts apart. */
export function eventId(event: { readonly contractId: string; readonly name: string }): string {
  return `${event.contractId}/${event.name}`
}

/** Columns of `trestle.sagas` that `readInstance` needs. */
export const instanceColumns = `s.id, s.name, s.key, s.version, s.state, s.undoing, s.past_pivot, s.step, s.began_at, s.tries, s.spent_ms,
  s.round, s.event, s.arrivals, s.failure, s.revision, s.owner, s.fence, s.traceparent`

/** An instance from its row. */
export function readInstance(row: Row, spec: SagaSpec): Instance {
  const failure = row['failure'] as string | null
  const sealed = row['event'] as string
  let opened: { readonly event: unknown } | undefined
  return {
    id: row['id'] as string,
    key: row['key'] as string,
    spec,
    fence: Number(row['fence']),
    revision: row['revision'] as number,
    owner: (row['owner'] as string | null) ?? undefined,
    get event() {
      return (opened ??= { event: openEvent(spec.on, sealed) }).event
    },
    migratedFrom: row['version'] === spec.version ? undefined : (row['version'] as number),
    results: row['revision'] === 0 ? {} : undefined,
    place: {
      state: row['state'] as Place['state'],
      undoing: row['undoing'] as boolean,
      pastPivot: row['past_pivot'] as boolean,
      step: (row['step'] as string | null) ?? undefined,
      beganAt: (row['began_at'] as Date).getTime(),
      tries: row['tries'] as number,
      spentMs: row['spent_ms'] as number,
      round: row['round'] as number,
    },
    arrivals: row['arrivals'] as Record<string, string>,
    failure: failure === null ? undefined : (JSON.parse(failure) as Failure),
    trace: parseTraceparent(row['traceparent'] as string) ?? newTrace(),
  }
}

/** Place of a step among those of its saga. @throws Error when the definition has no such step */
export function indexOfStep(spec: SagaSpec, name: string): number {
  const index = spec.steps.findIndex((step) => step.name === name)
  if (index === -1) throw new Error(`version ${spec.version} of saga ${spec.name} has no step ${name}`)
  return index
}

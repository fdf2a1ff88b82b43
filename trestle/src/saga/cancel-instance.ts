import { crashPoint } from '../std/crash-points.ts'
import type { Tx } from '../store/store.ts'
import type { Cancelled, Failure } from './saga.ts'
import { iso, storable } from './journal.ts'
import { runWithin } from './statement.ts'

/** Longest reason that is kept. */
export const reasonMaxChars = 1_000

/**
 * Turns an instance round if it is before its pivot. Who works on it loses it by the fence, and whether the pivot was first is
 * decided by the lock on the row: the engine writes down that the pivot may run before it runs.
 */
export async function cancelWithin(
  // oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service
  tx: Tx<any>,
  name: string,
  version: number,
  key: string,
  reason: string,
  { nowMs, newId, traceparent }: { readonly nowMs: number; readonly newId: () => string; readonly traceparent: string },
): Promise<Cancelled> {
  const failure: Failure = {
    step: '',
    code: 'cancelled',
    detail: storable(reason.slice(0, reasonMaxChars)),
    details: undefined,
  }
  const at = iso(nowMs)
  crashPoint('saga.before-cancel')
  const rows = await runWithin(tx, cancel, [newId(), name, key, version, JSON.stringify(failure), at, traceparent])
  const [row] = rows
  if (row !== undefined) {
    if (row['state'] === 'expected') return 'before_start'
    await runWithin(tx, cancelLine, [
      row['id'],
      row['revision'],
      row['step'],
      JSON.stringify(failure),
      row['began_at'],
      at,
    ])
    crashPoint('saga.after-cancel')
    return 'undoing'
  }
  const [there] = await runWithin(tx, 'select undoing, ended_at from trestle.sagas where name = $1 and key = $2', [
    name,
    key,
  ])
  if (there?.['ended_at'] !== null) return 'ended'
  return there['undoing'] === true ? 'undoing' : 'past_pivot'
}

/** `undoing` with `tries` above 0 at the step where it stood: that one may have run, and is undone with the others. */
const cancel = `
insert into trestle.sagas as s (id, name, key, version, state, failure, traceparent, started_at)
values ($1, $2, $3, $4, 'expected', $5, $7, $6::timestamptz)
on conflict (name, key) do update set
  failure = case when s.state = 'expected' then $5 else ($5::jsonb || jsonb_build_object('step', s.step))::text end,
  undoing = s.state <> 'expected', state = case when s.state = 'expected' then s.state else 'running' end,
  owner = null, fence = s.fence + 1, due_at = case when s.state <> 'expected' then $6::timestamptz end,
  began_at = case when s.state = 'expected' then s.began_at else $6::timestamptz end, tries = 0, spent_ms = 0, round = 0,
  revision = s.revision + case when s.state = 'expected' then 0 else 1 end
where s.ended_at is null and not s.undoing and not s.past_pivot
returning s.id, s.state, s.step, s.revision, s.began_at`

const cancelLine = `
insert into trestle.saga_steps (saga, n, step, action, outcome, error, began_at, at)
values ($1, $2, $3, 'cancel', 'done', $4, $5, $6::timestamptz)`

import { crashPoint } from '../std/crash-points.ts'
import type { Tx } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { iso } from './journal.ts'
import { byKey } from './lock-order.ts'
import { runWithin } from './statement.ts'

/** An event that an instance may wait for. */
export interface Arrival {
  readonly key: string
  /** `contract@major/event` */
  readonly event: string
  /** Payload, sealed. */
  readonly payload: string
}

/**
 * Writes down that events have come. The first of each sort counts, whether the instance waits for it, is not there yet, or has
 * not even begun; what comes late or again does nothing. Resolves to the number of instances that can go on.
 */
export async function noteArrivals(
  // oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service
  tx: Tx<any>,
  spec: SagaSpec,
  arrivals: readonly Arrival[],
  { nowMs, newId, traceparent }: { readonly nowMs: number; readonly newId: () => string; readonly traceparent: string },
): Promise<number> {
  const cameFor = new Map<string, Record<string, string>>()
  for (const { key, event, payload } of arrivals) {
    const known = cameFor.get(key) ?? {}
    known[event] ??= payload
    cameFor.set(key, known)
  }
  const rows = [...cameFor].map(([key, came]) => ({ id: newId(), key, came })).toSorted(byKey)
  crashPoint('saga.before-arrival')
  const noted = await runWithin(tx, note, [JSON.stringify(rows), spec.name, spec.version, iso(nowMs), traceparent])
  crashPoint('saga.after-arrival')
  return noted.filter((row) => row['due'] === true).length
}

const note = `
insert into trestle.sagas as s (id, name, key, version, state, arrivals, traceparent, started_at)
select a.id, $2, a.key, $3::integer, 'expected', a.came, $5, $4::timestamptz
from json_to_recordset($1::json) as a(id uuid, key text, came jsonb)
on conflict (name, key) do update set
  arrivals = excluded.arrivals || s.arrivals,
  due_at = case when s.state = 'waiting' and s.owner is null then $4::timestamptz else s.due_at end
where s.ended_at is null and not s.arrivals @> excluded.arrivals
returning s.owner is null and s.due_at is not null as due`

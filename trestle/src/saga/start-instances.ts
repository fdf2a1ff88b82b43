import { crashPoint } from '../std/crash-points.ts'
import { formatTraceparent, type TraceContext } from '../std/trace-context.ts'
import type { Tx } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { type Instance, instanceColumns, readInstance } from './instance.ts'
import { iso } from './journal.ts'
import { byKey } from './lock-order.ts'
import { sealEvent } from './sealed-event.ts'
import { runWithin } from './statement.ts'

/** What begins an instance. */
export interface Beginning {
  readonly id: string
  readonly key: string
  /** As the contract reads it. */
  readonly event: unknown
  readonly trace: TraceContext
}

/**
 * Writes down that instances begin; a key that has had its instance begins none. Owned at once by `owner`, who goes on with
 * them when the transaction has committed; without one they are found by whoever looks first.
 */
export async function startInstances(
  // oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service
  tx: Tx<any>,
  spec: SagaSpec,
  beginnings: readonly Beginning[],
  { nowMs, owner }: { readonly nowMs: number; readonly owner: string | undefined },
): Promise<Instance[]> {
  const firstOfKey = [...new Map(beginnings.toReversed().map((each) => [each.key, each])).values()]
  const rows = firstOfKey.toSorted(byKey).map(({ id, key, event, trace }) => ({
    id,
    key,
    event: sealEvent(spec.on, event),
    traceparent: formatTraceparent(trace),
  }))
  const at = iso(nowMs)
  crashPoint('saga.before-start')
  const begun = await runWithin(tx, begin, [
    JSON.stringify(rows),
    spec.name,
    spec.version,
    spec.steps[0]?.name,
    spec.steps[0]?.kind === 'call' && spec.steps[0].pivot,
    at,
    owner,
  ])
  crashPoint('saga.after-start')
  return begun.map((row) => readInstance(row, spec))
}

/** Where something came for the key before, its row is there: `expected`, with what came, or with why it must not begin. */
const begin = `
insert into trestle.sagas as s (id, name, key, version, state, past_pivot, step, began_at, due_at, event, owner, fence,
  traceparent, started_at)
select b.id, $2, b.key, $3::integer, 'running', $5::boolean, $4, $6::timestamptz,
  case when $7::uuid is null then $6::timestamptz end, b.event, $7::uuid, 1, b.traceparent, $6::timestamptz
from json_to_recordset($1::json) as b(id uuid, key text, event text, traceparent text)
on conflict (name, key) do update set
  version = excluded.version, state = 'running', undoing = s.failure is not null,
  past_pivot = excluded.past_pivot and s.failure is null,
  step = case when s.failure is null then excluded.step end, began_at = excluded.began_at, due_at = excluded.due_at,
  event = excluded.event, owner = excluded.owner, fence = s.fence + 1, traceparent = excluded.traceparent,
  started_at = excluded.started_at
where s.state = 'expected'
returning ${instanceColumns}`

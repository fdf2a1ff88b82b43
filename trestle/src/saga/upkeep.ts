import type { Store } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { iso } from './journal.ts'
import type { SagaMetrics } from './saga-metrics.ts'
import { runAlone } from './statement.ts'

/** Forgets what ended long ago, and what came for instances that never began: a bounded number with one statement. */
export async function forget(
  store: Store<unknown>,
  nowMs: number,
  {
    keepEndedMs,
    keepEarlyMs,
    signal,
  }: { readonly keepEndedMs: number; readonly keepEarlyMs: number; readonly signal: AbortSignal },
): Promise<void> {
  await forgetAll(store, forgetEnded, nowMs - keepEndedMs, signal)
  await forgetAll(store, forgetEarly, nowMs - keepEarlyMs, signal)
}

/** Until there is no more: at any fixed rate a service that begins more than that would grow for ever. */
async function forgetAll(store: Store<unknown>, sql: string, beforeMs: number, signal: AbortSignal): Promise<void> {
  let forgotten = forgottenMax
  while (forgotten === forgottenMax && !signal.aborted) {
    forgotten = (await runAlone(store, sql, [iso(beforeMs)])).length
  }
}

/** Instances forgotten with one statement. */
const forgottenMax = 1_000

const forgetEnded = `
with old as materialized (
    select id from trestle.sagas where ended_at < $1::timestamptz
    order by ended_at limit ${forgottenMax} for update skip locked),
  lines as (delete from trestle.saga_steps where saga = any (array (select id from old)))
delete from trestle.sagas where id = any (array (select id from old)) returning id`

const forgetEarly = `
delete from trestle.sagas where id = any (array (
  select id from trestle.sagas where ended_at is null and state = 'expected' and started_at < $1::timestamptz
  order by started_at limit ${forgottenMax} for update skip locked)) and state = 'expected' returning id`

/** Looks how many are under way, and since when, and for how many something came that have not begun. */
export async function count(store: Store<unknown>, specs: readonly SagaSpec[], nowMs: number, metrics: SagaMetrics) {
  const rows = await runAlone(store, unfinished, [])
  const byName = new Map(rows.map((row) => [row['name'], row]))
  for (const { name } of specs) {
    const row = byName.get(name)
    const since = row?.['since'] as Date | null | undefined
    metrics.unfinished(name, {
      running: Number(row?.['running'] ?? 0),
      stuck: Number(row?.['stuck'] ?? 0),
      expected: Number(row?.['expected'] ?? 0),
      oldestMs: since === undefined || since === null ? 0 : Math.max(0, nowMs - since.getTime()),
    })
  }
}

const unfinished = `
select name, count(*) filter (where state not in ('stuck', 'expected')) as running,
  count(*) filter (where state = 'stuck') as stuck, count(*) filter (where state = 'expected') as expected,
  min(started_at) filter (where state <> 'expected') as since
from trestle.sagas where ended_at is null group by name`

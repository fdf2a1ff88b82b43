import type { Store } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { iso } from './journal.ts'
import type { SagaMetrics } from './saga-metrics.ts'
import { runAlone } from './statement.ts'

/** Forgets what ended long ago, and what came for instances that never began; a bounded number at a time. */
export async function forget(
  store: Store<unknown>,
  nowMs: number,
  { keepEndedMs, keepEarlyMs }: { readonly keepEndedMs: number; readonly keepEarlyMs: number },
): Promise<void> {
  await runAlone(store, forgetEnded, [iso(nowMs - keepEndedMs)])
  await runAlone(store, forgetEarly, [iso(nowMs - keepEarlyMs)])
}

const forgetEnded = `
with old as (select id from trestle.sagas where ended_at < $1::timestamptz order by ended_at limit 1000),
  lines as (delete from trestle.saga_steps where saga in (select id from old))
delete from trestle.sagas where id in (select id from old)`

const forgetEarly = `
delete from trestle.sagas where id in (
  select id from trestle.sagas where ended_at is null and state = 'expected' and started_at < $1::timestamptz limit 1000)`

/** Looks how many are under way, and since when. */
export async function count(store: Store<unknown>, specs: readonly SagaSpec[], nowMs: number, metrics: SagaMetrics) {
  const rows = await runAlone(store, unfinished, [])
  const byName = new Map(rows.map((row) => [row['name'], row]))
  for (const { name } of specs) {
    const row = byName.get(name)
    const since = row?.['since'] as Date | undefined
    metrics.unfinished(name, {
      running: Number(row?.['running'] ?? 0),
      stuck: Number(row?.['stuck'] ?? 0),
      oldestMs: since === undefined ? 0 : Math.max(0, nowMs - since.getTime()),
    })
  }
}

const unfinished = `
select name, count(*) filter (where state <> 'stuck') as running, count(*) filter (where state = 'stuck') as stuck,
  min(started_at) as since
from trestle.sagas where ended_at is null and state <> 'expected' group by name`

import type { Store } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { iso } from './journal.ts'
import { runAlone } from './statement.ts'
import { versionsOf } from './versions.ts'

/** What is stuck is tried again when an engine starts: it may have brought other code. */
export async function retryStuck(store: Store<unknown>, specs: readonly SagaSpec[], nowMs: number): Promise<void> {
  const { names, versions } = versionsOf(specs)
  await runAlone(store, unstick, [iso(nowMs), names, versions])
}

const unstick = `
update trestle.sagas set state = 'running', due_at = $1::timestamptz, began_at = $1::timestamptz, spent_ms = 0, fence = fence + 1
where state = 'stuck' and ended_at is null
  and (name, version) in (select * from unnest($2::text[], $3::integer[]))`

/** Waits between tries are short: where one ends far in the future, the clock was put back since, and it is over now. */
export async function wakeAfterClockJump(store: Store<unknown>, nowMs: number, waitMaxMs: number): Promise<void> {
  await runAlone(store, endFarWaits, [iso(nowMs), iso(nowMs + waitMaxMs)])
}

const endFarWaits = `
update trestle.sagas set due_at = $1::timestamptz
where owner is null and state = 'running' and due_at > $2::timestamptz`

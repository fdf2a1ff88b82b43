import { crashPoint } from '../../std/crash-points.ts'
import type { PlatformStatement, TracedOptions } from '../../store/store.ts'

// A call and the undoing of the work that made it must not pass each other unseen. So both lock the work: the call, shared,
// as the last thing before its commit, and then looks whether the work was undone; the undoing, alone, and then writes
// that down, and commits before it begins. Whoever comes second sees the first. The lock is an advisory one because there
// is no row yet that could be locked.

/** How long it is remembered that work was undone: longer than any of its calls can be on its way. */
const cancelledKeptMs = 30 * 24 * 60 * 60_000

/** A store that commits what the platform alone writes. */
export interface CommittingStore {
  transaction(work: () => Promise<void>, options: TracedOptions): Promise<void>
}

/** A lock is named by 64 bits. */
function lockOf(parent: string): string {
  return BigInt.asIntN(64, BigInt(`0x${parent.replaceAll('-', '').slice(0, 16)}`)).toString()
}

/** Writes down that work was undone; resolves when none of its calls that has not committed yet can commit any more. */
export async function cancelWork(store: CommittingStore, parent: string, nowMs: number): Promise<void> {
  crashPoint('once.before-cancel')
  await store.transaction(async () => {}, {
    beforeCommit(_value, send) {
      send('select pg_advisory_xact_lock($1::bigint)', [lockOf(parent)]).catch(leftToCommit)
      const sql = `insert into trestle.once_cancelled (parent, keep_until_ms) values ($1, $2)
        on conflict (parent) do update set keep_until_ms = excluded.keep_until_ms`
      send(sql, [parent, nowMs + cancelledKeptMs]).catch(leftToCommit)
    },
  })
  crashPoint('once.after-cancel')
}

/**
 * Lets a transaction commit only if the work that it is part of was not undone. Statements of a transaction that reads
 * what stood at its beginning would not see it; they try to write the row instead, which no snapshot hides.
 */
export function checkAlive(
  send: PlatformStatement,
  parents: readonly string[],
  readsCommitted: boolean,
): Promise<unknown> {
  for (const lock of parents.map(lockOf).toSorted()) {
    send('select pg_advisory_xact_lock_shared($1::bigint)', [lock]).catch(leftToCommit)
  }
  if (readsCommitted) return send(aliveStatement, [parents])
  const written = send('insert into trestle.once_cancelled (parent, keep_until_ms) select unnest($1::uuid[]), 0', [
    parents.toSorted(),
  ])
  send('delete from trestle.once_cancelled where parent = any ($1::uuid[])', [parents]).catch(leftToCommit)
  return written
}

// Divided by zero, the statement fails, and the transaction with it.
const aliveStatement = `select 1 / (1 - count(*)) from (
  select 1 from trestle.once_cancelled where parent = any ($1::uuid[]) limit 1
) as undone`

/** A statement that failed makes the commit fail, which says why. */
function leftToCommit(): void {}

import type { KeyBase } from '../../store/inbox/accept.ts'
import { stepOver } from '../../store/inbox/accept.ts'
import { isWanted, type KeyRun } from '../../store/inbox/key-runs.ts'
import type { SubscriptionRow } from '../../store/inbox/subscription-rows.ts'
import type { AnyDb } from '../../store/inbox/statement.ts'

/** Whether a key may be moved over these events without a look at what waits. */
export function mayAdvance({ whole, first }: KeyRun, base: KeyBase): boolean {
  return whole && (base === 'first-seen' || first === 1)
}

/**
 * Steps over the events that nobody wants, and returns what is left to write down. Where the bus does not keep the order
 * of a key, every place is written down: one that comes too early must be able to wait for one before it.
 */
export async function withoutUnwanted(
  db: AnyDb,
  of: Pick<SubscriptionRow, 'id' | 'generation'>,
  runs: readonly KeyRun[],
  base: KeyBase,
): Promise<readonly KeyRun[]> {
  if (base === 'one') return runs
  const unwanted = runs.filter((run) => run.whole && !run.events.some(isWanted))
  if (unwanted.length === 0) return runs
  const blocked = await stepOver(db, of, unwanted)
  const gone = new Set(unwanted.filter(({ key }) => !blocked.has(key)).map(({ key }) => key))
  return runs.filter(({ key }) => !gone.has(key))
}

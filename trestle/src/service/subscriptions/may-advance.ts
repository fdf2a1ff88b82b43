import type { KeyRun } from '../../store/inbox/key-runs.ts'
import type { Subscription } from './subscription.ts'

/** Whether a key may be moved over these events without a look at what waits. */
export function mayAdvance({ whole, first }: KeyRun, base: Subscription['base']): boolean {
  return whole && (base === 'first-seen' || first === 1)
}

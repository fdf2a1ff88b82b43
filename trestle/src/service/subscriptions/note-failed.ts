import { backoffMs } from '../../std/backoff.ts'
import { crashPoint } from '../../std/crash-points.ts'
import { type Claimed, noteFailure, parkKey, uncountTry } from '../../store/inbox/claim.ts'
import { wantedTypes } from '../../store/inbox/inbox-processes.ts'
import { failureKind, reasonOf } from './failure-kind.ts'
import type { Handled } from './handled.ts'
import { about, type Subscription } from './subscription.ts'

/** How a try was claimed, which says how many tries are written down and what guards the note. */
export type ClaimKind = 'locked' | 'counted' | 'leased'

/**
 * Writes down that a try has failed. The key is tried again after a wait with full jitter; after the last try, or when
 * trying again is hopeless, it is parked. While something is away that the handler needs, or replicas of another version
 * know what this one does not, tries are not used up.
 */
export async function noteFailed(
  subscription: Subscription,
  claimed: Claimed,
  error: unknown,
  how: ClaimKind,
): Promise<Handled> {
  try {
    return await note(subscription, claimed, error, how)
  } catch (cause) {
    // That this try has ended is known to nobody else: it must not be taken for one that has ended its process.
    if (how !== 'locked') subscription.uncounted.add(claimed)
    throw cause
  }
}

/** Takes back tries that have ended and whose failure could not be written down. @throws StoreError as long as it cannot be */
export async function takeTriesBack({ uncounted, deps, row }: Subscription): Promise<void> {
  for (const each of uncounted) {
    await uncountTry(deps.store.db, row, each)
    uncounted.delete(each)
  }
}

async function note(subscription: Subscription, claimed: Claimed, error: unknown, how: ClaimKind): Promise<Handled> {
  const { definition, deps, limits, row } = subscription
  const kind = (await isForAnother(subscription, claimed)) ? 'later' : failureKind(error)
  const reason = reasonOf(error)
  const guard = {
    reason,
    counted: how === 'locked' ? claimed.tries : claimed.tries + 1,
    how: how === 'leased' ? 'leased' : 'locked',
  } as const
  const bounds = { baseMs: limits.retryBaseMs, maxMs: limits.retryMaxMs, random: deps.random }
  const names = { service: deps.service, subscription: definition.name }
  deps.observe?.({ kind: 'failed', ...names })
  if (kind === 'later') {
    const waitMs = backoffMs(Math.min(claimed.tries + 3, 30), bounds)
    sayAway(subscription, claimed, error)
    await noteFailure(deps.store.db, row, claimed, { ...guard, tries: claimed.tries, waitMs })
    return { kind: 'failed', waitMs }
  }
  crashPoint('inbox.before-failure-noted')
  if (kind === 'hopeless' || claimed.tries + 1 >= definition.triesMax) {
    if (await parkKey(deps.store.db, row, claimed, { ...guard, tries: claimed.tries + 1 })) {
      deps.observe?.({ kind: 'parked', ...names })
      sayParked(subscription, claimed, error)
    }
    return { kind: 'failed', waitMs: 0 }
  }
  const waitMs = backoffMs(claimed.tries, bounds)
  await noteFailure(deps.store.db, row, claimed, { ...guard, tries: claimed.tries + 1, waitMs })
  crashPoint('inbox.after-failure-noted')
  sayFailed(subscription, claimed, error)
  return { kind: 'failed', waitMs }
}

/** Whether only replicas of another version know the type: then one of them handles it. */
async function isForAnother({ definition, deps, limits, row }: Subscription, { wanted }: Claimed): Promise<boolean> {
  if (wanted === undefined || definition.events.some(({ name }) => name === wanted.type)) return false
  const types = await wantedTypes(deps.store.db, [row.id], limits.leaseMs)
  return types.get(row.id)?.includes(wanted.type) === true
}

function sayAway(subscription: Subscription, { id, key }: Claimed, error: unknown): void {
  const unsaid = subscription.seldom.again('away')
  if (unsaid === undefined) return
  const fields = { ...about(subscription), event: id, key, unsaid, err: error }
  subscription.deps.log.warn(fields, 'an event waits because what its handler needs is away')
}

function sayFailed(subscription: Subscription, { id, key, tries }: Claimed, error: unknown): void {
  const unsaid = subscription.seldom.again('failed')
  if (unsaid === undefined) return
  const fields = { ...about(subscription), event: id, key, tries: tries + 1, unsaid, err: error }
  subscription.deps.log.warn(fields, 'an event could not be handled and will be tried again')
}

function sayParked(subscription: Subscription, { id, key, tries }: Claimed, error: unknown): void {
  const fields = { ...about(subscription), event: id, key, tries: tries + 1, err: error }
  subscription.deps.log.error(fields, `parked: no event of the key ${key} is handled until somebody acts`)
}

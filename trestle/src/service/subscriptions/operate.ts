import { markSkipped } from '../../store/inbox/claim.ts'
import {
  beginGeneration,
  closeGap,
  lockHead,
  noteDecision,
  redriveKeys,
  type Replayed,
} from '../../store/inbox/decisions.ts'
import {
  type BlockedKey,
  blockedKeys,
  type BlockedQuery,
  type SubscriptionView,
  subscriptionViews,
} from '../../store/inbox/inbox-views.ts'
import { unhandledOf } from '../../store/inbox/oldest-unhandled.ts'
import type { EventPosition } from '../../store/outbox/event-envelope.ts'
import type { EventFeed } from '../../store/outbox/event-feed.ts'
import type { Store } from '../../store/store.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- of the tables only the platform's own are touched
type AnyStore = Store<any>

export type { BlockedKey, BlockedQuery, Replayed, SubscriptionView }

/** A subscription and how far behind its publisher it is. */
export interface SubscriptionStatus extends SubscriptionView {
  /** Events that were published and not taken yet, counted up to 10,000; `undefined`: the publisher cannot say. */
  readonly unread: number | undefined
  /** The publisher no longer has what follows its place: nothing is taken until it is replayed. */
  readonly isPlaceLost: boolean
  /** Age of the oldest event that was published and has not been handled, those of parked keys left out; milliseconds. */
  readonly lagMs: number | undefined
}

/** How the events of a publisher are read; see the embedded bus. */
export type FeedFor = (stream: string) => Pick<EventFeed, 'read'>

const unreadMax = 10_000
const readMax = 1_000

/**
 * How the subscriptions of a service stand.
 * @param nowMs milliseconds since 1970
 * @example const [first] = await subscriptionStatus(store, feedFor, clock.now()) // { name: 'orders.placed', unread: 3, ... }
 */
export async function subscriptionStatus(
  store: AnyStore,
  feedFor: FeedFor,
  nowMs: number,
): Promise<readonly SubscriptionStatus[]> {
  const views = await subscriptionViews(store.db)
  return await Promise.all(
    views.map(async (view) => {
      let isPlaceLost = false
      const behind = await unreadOf(feedFor(view.stream), view).catch((error: unknown) => {
        isPlaceLost = saysPlaceLost(error)
        return undefined
      })
      const oldest = [view.oldestWaitingMs, behind?.oldestMs].filter((ms) => ms !== undefined)
      const lagMs = oldest.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...oldest))
      const isLagKnown = behind !== undefined || lagMs !== 0
      return { ...view, unread: behind?.count, isPlaceLost, lagMs: isLagKnown ? lagMs : undefined }
    }),
  )
}

function saysPlaceLost(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'feed_position_lost'
}

async function unreadOf(
  feed: Pick<EventFeed, 'read'>,
  { stream, position }: SubscriptionView,
): Promise<{ readonly count: number; readonly oldestMs: number | undefined }> {
  let after = position
  let count = 0
  let oldestMs: number | undefined
  while (count < unreadMax) {
    const batch = await feed.read({ stream, after, types: [], max: readMax })
    oldestMs ??= batch.events[0]?.occurredAt
    count += batch.events.length
    if (batch.caughtUp) break
    after = batch.next
  }
  return { count, oldestMs }
}

/** Keys whose events wait for a person, with what blocks them and the payload. */
export async function listBlocked(store: AnyStore, query: BlockedQuery = {}): Promise<readonly BlockedKey[]> {
  return await blockedKeys(store.db, query)
}

/** What a person decides about, and why. */
export interface Decision {
  readonly subscription: string
  /** Written down with the decision. */
  readonly reason: string
}

/** Lets a parked key be tried again, or all keys of a subscription. Returns how many there were. */
export async function redrive(store: AnyStore, decision: Decision & { readonly key?: string }): Promise<number> {
  return await redriveKeys(store.db, decision.subscription, decision.key, decision.reason)
}

/** The event of a blocked key that was given up, or the missing versions before it. */
export interface Skipped {
  readonly eventId: string | undefined
  readonly missing: number
}

/**
 * Gives up what blocks a key: the event that is parked, or the versions that have not come. The reason is written down.
 * @param eventId the event that is meant; when another one is next by now, nothing is done
 * @returns `undefined` when that event is not next
 */
export async function skip(
  store: AnyStore,
  decision: Decision & { readonly key: string; readonly eventId: string },
): Promise<Skipped | undefined> {
  const { subscription, key, eventId, reason } = decision
  return await store.transaction(async ({ db }) => {
    const head = await lockHead(db, subscription, key)
    if (head === undefined || head.id !== eventId) return undefined
    if (head.missing > 0) {
      await closeGap(db, head)
      await noteDecision(db, { subscription, decision: 'skip-gap', key, eventId, reason })
      return { eventId: undefined, missing: head.missing }
    }
    await markSkipped(db, head.of, head, reason)
    await noteDecision(db, { subscription, decision: 'skip', key, eventId, reason })
    return { eventId, missing: 0 }
  })
}

/**
 * When the oldest event had happened that a subscription has not handled: one that waits, is parked, or is still with its
 * publisher. A replay from a later time would pass it over.
 * @returns milliseconds since 1970; `undefined`: everything is handled
 * @throws CallError when the publisher cannot be asked
 */
export async function oldestUnhandledMs(
  store: AnyStore,
  feedFor: FeedFor,
  subscription: string,
): Promise<number | undefined> {
  const unhandled = await unhandledOf(store.db, subscription)
  if (unhandled === undefined) return undefined
  const { stream, oldestMs, untaken } = unhandled
  const times = [oldestMs, untaken === undefined ? undefined : await untakenSince(feedFor(stream), stream, untaken)]
  const known = times.filter((ms) => ms !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

async function untakenSince(
  feed: ReturnType<FeedFor>,
  stream: string,
  untaken: { readonly after: EventPosition | undefined } | { readonly sinceMs: number },
): Promise<number | undefined> {
  if ('sinceMs' in untaken) return untaken.sinceMs
  try {
    const { events } = await feed.read({ stream, after: untaken.after, types: [], max: 1 })
    return events[0]?.occurredAt
  } catch (error) {
    // A replay is what mends that, and nobody knows what it would pass over.
    if (saysPlaceLost(error)) return undefined
    throw error
  }
}

/**
 * Handles again what was published since a time, or everything that is kept. What waits or is parked is given up: it
 * comes again, unless it is older than that time (see `oldestUnhandledMs`). Effects run again under the keys that they had.
 * @param sinceMs milliseconds since 1970; `undefined`: from the oldest event that is kept
 * @returns `undefined` when there is no such subscription
 */
export async function replay(
  store: AnyStore,
  { subscription, sinceMs, reason }: Decision & { readonly sinceMs: number | undefined },
): Promise<Replayed | undefined> {
  const work = async ({ db }: Pick<AnyStore, 'db'>) => {
    const replayed = await beginGeneration(db, subscription, sinceMs)
    if (replayed !== undefined) await noteDecision(db, { subscription, decision: 'replay', reason })
    return replayed
  }
  return await store.transaction(work, { retries: 3 })
}

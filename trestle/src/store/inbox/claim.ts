import type { SubscriptionRow } from './subscription-rows.ts'
import { type AnyDb, rowsOf } from './statement.ts'

type Of = Pick<SubscriptionRow, 'id' | 'generation'>

/** An event that waits and is now to be handled. */
export interface Claimed {
  readonly id: string
  readonly key: string
  readonly keyVersion: number
  /** That of the publisher: with the version its place among what waits of the key. */
  readonly epoch: string
  /** Tries that have failed, or were begun, before this one. */
  readonly tries: number
  /** Of a claim outside of a transaction: what it does must carry it. */
  readonly fence: string
  /** `undefined`: nobody wants it, only its place counts. */
  readonly wanted:
    | {
        readonly type: string
        readonly version: number
        readonly occurredAt: number
        readonly payload: string
        readonly traceparent: string
      }
    | undefined
}

/** Where an event that waits is found. */
export type Place = Pick<Claimed, 'id' | 'key' | 'keyVersion' | 'epoch'>

interface Row {
  readonly event_id: string
  readonly key: string
  readonly key_version: string
  readonly epoch: string
  readonly tries: number
  readonly fence: string
  readonly type: string | null
  readonly version: number | null
  readonly occurred_ms: string | null
  readonly payload: string | null
  readonly traceparent: string | null
}

/** A time further away than any wait was given by a clock that has been put back since. */
const dueTimes = ['k.next_at <= now()', `k.next_at > now() + interval '1 hour'`]

/** One range of the index for each: keys that wait for a later try are not even looked at. */
const dueKeys = dueTimes
  .map(
    (due) => `(
    select k.key, k.head, k.head_epoch, k.tries, k.fence from trestle.inbox_keys k
    where k.subscription = $1 and k.generation = $2 and ${due}
    order by k.next_at limit 512)`,
  )
  .join(' union all ')

const eventColumns =
  'i.event_id, i.key, i.key_version, i.epoch, i.type, i.version, i.occurred_ms, i.payload, i.traceparent'

// The lock is on the event, not on its key: while it is being handled, more events of the key may come in. The parts are
// apart so that there is only one way to run it: see `wakeKeysSql`. Of the keys that are due, some may be locked by others.
const headSql = `
select i.*, k.tries, k.fence
from (${dueKeys}) k
cross join lateral (
  select ${eventColumns} from trestle.inbox i
  where i.subscription = $1 and i.generation = $2 and i.key = k.key
    and i.epoch = k.head_epoch and i.key_version = k.head and i.state = 0
  limit 1 for update skip locked) i
limit 1`

/** Takes the next event whose turn it is, for the time of this transaction. */
export async function claimInTransaction(db: AnyDb, of: Of): Promise<Claimed | undefined> {
  const [row] = await rowsOf<Row>(db, headSql, [of.id, of.generation])
  return row === undefined ? undefined : toClaimed(row)
}

// The key is looked at again when it is written: who saw an older state of it may have waited for the event's lock. `coalesce`
// keeps the planner from looking for it among all keys that are due.
const claimSql = `
with i as (${headSql})
update trestle.inbox_keys k
set next_at = now() + $3 * interval '1 ms', tries = k.tries + 1, fence = k.fence + 1
from i
where k.subscription = $1 and k.generation = $2 and k.key = i.key
  and k.head_epoch = i.epoch and k.head = i.key_version
  and coalesce(${dueTimes.join(' or ')}, false)
returning i.event_id, i.key, i.key_version, i.epoch, i.type, i.version, i.occurred_ms, i.payload, i.traceparent,
  k.tries - 1 as tries, k.fence`

/** Takes the next event whose turn it is, until `leaseMs` have passed. The try counts, also when nobody hears of it again. */
export async function claimForLease(db: AnyDb, of: Of, leaseMs: number): Promise<Claimed | undefined> {
  const [row] = await rowsOf<Row>(db, claimSql, [of.id, of.generation, leaseMs])
  return row === undefined ? undefined : toClaimed(row)
}

// A renewal that comes after the note that the event is done, or that its key is parked, changes nothing.
const renewSql = `
update trestle.inbox_keys
set next_at = case when head = $6 and head_epoch = $7 and parked_at is null then now() + $5 * interval '1 ms' else next_at end
where subscription = $1 and generation = $2 and key = $3 and fence = $4
returning 1`

/** Keeps a claim; `false` when it is somebody else's by now. */
export async function renewClaim(db: AnyDb, of: Of, claimed: Claimed, leaseMs: number): Promise<boolean> {
  const rows = await rowsOf(db, renewSql, [
    of.id,
    of.generation,
    claimed.key,
    claimed.fence,
    leaseMs,
    claimed.keyVersion,
    claimed.epoch,
  ])
  return rows.length === 1
}

const countTrySql = `
update trestle.inbox_keys set tries = tries + 1
where subscription = $1 and generation = $2 and key = $3 and head = $4 and tries = $5 and head_epoch = $6
returning 1`

/** Counts a try before it begins, so that one that kills the process is counted. `false`: the key has moved on. */
export async function countTry(db: AnyDb, of: Of, claimed: Claimed): Promise<boolean> {
  const { key, keyVersion, epoch, tries } = claimed
  return (await rowsOf(db, countTrySql, [of.id, of.generation, key, keyVersion, tries, epoch])).length === 1
}

const uncountTrySql = `
update trestle.inbox_keys set tries = tries - 1
where subscription = $1 and generation = $2 and key = $3 and head = $4 and head_epoch = $5 and tries > $6
  and parked_at is null`

/** Takes a try back that may have been counted after the claim. Nothing happens when it was not, or the key has moved on. */
export async function uncountTry(db: AnyDb, of: Of, claimed: Claimed): Promise<void> {
  const { key, keyVersion, epoch, tries } = claimed
  await rowsOf(db, uncountTrySql, [of.id, of.generation, key, keyVersion, epoch, tries])
}

const lockKeySql = `
select 1 from trestle.inbox_keys where subscription = $1 and generation = $2 and key = $3 for update`

// The division fails, and with it the transaction, when somebody else has handled it or holds the claim by now. The event is
// found by its place too: by its id alone a planner without statistics would go through everything that waits.
const doneSql = `
with handled as (
  update trestle.inbox i
  set state = $6, reason = $7, handled_at = now(), type = null, version = null, payload = null, traceparent = null
  where i.subscription = $1 and i.generation = $2 and i.key = $4 and i.epoch = $9 and i.key_version = $5
    and i.event_id = $3 and i.state = 0
  returning 1
), waiting as (
  select i.* from (values (1)) v left join lateral (
    select i.key_version as head, i.epoch from trestle.inbox i
    where i.subscription = $1 and i.generation = $2 and i.key = $4 and i.state = 0 and i.event_id <> $3
    order by i.epoch, i.key_version limit 1) i on true
), moved as (
  update trestle.inbox_keys k
  set version = greatest(k.version, $5), moved_at = now(), tries = 0, parked_at = null, reason = null, head = w.head,
      head_epoch = w.epoch,
      next_at = case when w.head <= greatest(k.version, $5) + 1 then now() end
  from waiting w
  where k.subscription = $1 and k.generation = $2 and k.key = $4 and ($8::bigint is null or k.fence = $8)
    and exists (select from handled)
  returning 1
)
select 1 / count(*) from moved`

/**
 * Notes in this transaction that an event has been handled, and lets the next one of its key come. The transaction
 * fails (22012) when the event was not this one's any more. Both statements are sent at once.
 */
export async function markHandled(db: AnyDb, of: Of, claimed: Claimed, how: 'locked' | 'leased'): Promise<void> {
  await mark(db, of, claimed, { state: 1, reason: null, fence: how === 'leased' ? claimed.fence : null })
}

/** Gives an event up for good; the reason stays with it. The same as `markHandled` else. */
export async function markSkipped(db: AnyDb, of: Of, event: Place, reason: string): Promise<void> {
  await mark(db, of, event, { state: 2, reason, fence: null })
}

async function mark(
  db: AnyDb,
  of: Of,
  { id, key, keyVersion, epoch }: Place,
  { state, reason, fence }: { readonly state: number; readonly reason: string | null; readonly fence: string | null },
): Promise<void> {
  await Promise.all([
    rowsOf(db, lockKeySql, [of.id, of.generation, key]),
    rowsOf(db, doneSql, [of.id, of.generation, id, key, keyVersion, state, reason, fence, epoch]),
  ])
}

const failedSql = `
update trestle.inbox_keys
set tries = $5, reason = $6, next_at = now() + $7 * interval '1 ms'
where subscription = $1 and generation = $2 and key = $3 and head = $4 and head_epoch = $10 and parked_at is null
  and tries = $8 and ($9::bigint is null or fence = $9)
returning 1`

/** Notes that a try has failed: the key may be tried again after `waitMs`. `false`: the key has moved on. */
export async function noteFailure(
  db: AnyDb,
  of: Of,
  failed: Claimed,
  outcome: Outcome & { readonly waitMs: number },
): Promise<boolean> {
  const { waitMs } = outcome
  return (await rowsOf(db, failedSql, parametersOf(of, failed, outcome, waitMs))).length === 1
}

/** What a try came to. */
export interface Outcome {
  readonly reason: string
  /** Tries to write down. */
  readonly tries: number
  /** Tries that are written down now: by this one sees whether the key has moved on. */
  readonly counted: number
  readonly how: 'locked' | 'leased'
}

const parkSql = `
update trestle.inbox_keys
set tries = $5, reason = $6, next_at = null, parked_at = now() + $7 * interval '1 ms'
where subscription = $1 and generation = $2 and key = $3 and head = $4 and head_epoch = $10 and parked_at is null
  and tries = $8 and ($9::bigint is null or fence = $9)
returning 1`

/** Lets a key wait for a person. The others go on. `false`: the key has moved on. */
export async function parkKey(db: AnyDb, of: Of, failed: Claimed, outcome: Outcome): Promise<boolean> {
  return (await rowsOf(db, parkSql, parametersOf(of, failed, outcome, 0))).length === 1
}

function parametersOf(of: Of, failed: Claimed, { reason, tries, counted, how }: Outcome, waitMs: number) {
  const { key, keyVersion, epoch, fence } = failed
  const guard = how === 'leased' ? fence : null
  return [of.id, of.generation, key, keyVersion, tries, reason, waitMs, counted, guard, epoch]
}

function toClaimed(row: Row): Claimed {
  const { type, version, occurred_ms, payload, traceparent } = row
  return {
    id: row.event_id,
    key: row.key,
    keyVersion: Number(row.key_version),
    epoch: row.epoch,
    tries: row.tries,
    fence: row.fence,
    wanted:
      payload === null || type === null
        ? undefined
        : { type, version: version ?? 1, occurredAt: Number(occurred_ms), payload, traceparent: traceparent ?? '' },
  }
}

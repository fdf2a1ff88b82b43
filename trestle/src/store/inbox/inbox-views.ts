import { isBlocked, waitingOfS } from './inbox-state.ts'
import { type AnyDb, rowsOf } from './statement.ts'

/** A subscription as an operator sees it. */
export interface SubscriptionView {
  readonly name: string
  readonly stream: string
  readonly generation: number
  /** Up to where events have been taken; `undefined`: none yet. */
  readonly position: { readonly epoch: number; readonly xid: string; readonly seq: string } | undefined
  /** The process that pulls; `undefined`: none does. */
  readonly puller: string | undefined
  /** When the last event was taken, and when it had happened; milliseconds since 1970. */
  readonly acceptedAtMs: number | undefined
  readonly lastOccurredAtMs: number | undefined
  /** Events that wait and can be handled. */
  readonly waiting: number
  readonly parkedKeys: number
  /** Events that wait behind parked keys. */
  readonly parkedWaiting: number
  /** Keys whose next event has not come although a later one is here. */
  readonly gapKeys: number
  /** When the oldest event had happened that waits and is not parked. */
  readonly oldestWaitingMs: number | undefined
}

const viewsSql = `
select s.name, s.stream, s.generation, s.epoch, s.xid, s.seq,
  case when s.lease_until > now() then s.lease_holder end as puller,
  (extract(epoch from s.accepted_at) * 1000)::bigint as accepted_ms, s.occurred_ms,
  w.waiting, w.parked_waiting, w.oldest_ms, k.parked_keys, k.gap_keys
from trestle.subscriptions s
cross join lateral (${waitingOfS}) w
cross join lateral (
  select count(*) filter (where k.parked_at is not null) as parked_keys,
    count(*) filter (where k.parked_at is null) as gap_keys
  from trestle.inbox_keys k where k.subscription = s.id and k.generation = s.generation and ${isBlocked}) k
where $1::text is null or s.name = $1
order by s.name`

type Row = Readonly<Record<string, string | number | null>>

/** All subscriptions of a service, or the one of that name. */
export async function subscriptionViews(db: AnyDb, name?: string): Promise<readonly SubscriptionView[]> {
  return (await rowsOf<Row>(db, viewsSql, [name ?? null])).map((row) => ({
    name: String(row['name']),
    stream: String(row['stream']),
    generation: Number(row['generation']),
    position:
      row['epoch'] === null || row['epoch'] === undefined
        ? undefined
        : { epoch: Number(row['epoch']), xid: String(row['xid']), seq: String(row['seq']) },
    puller: text(row['puller']),
    acceptedAtMs: number(row['accepted_ms']),
    lastOccurredAtMs: number(row['occurred_ms']),
    waiting: Number(row['waiting']),
    parkedKeys: Number(row['parked_keys']),
    parkedWaiting: Number(row['parked_waiting']),
    gapKeys: Number(row['gap_keys']),
    oldestWaitingMs: number(row['oldest_ms']),
  }))
}

/** A key whose events wait: parked, or for an event that has not come. */
export interface BlockedKey {
  readonly subscription: string
  readonly key: string
  readonly why: 'parked' | 'gap'
  /** Of a parked key; milliseconds since 1970. */
  readonly parkedAtMs: number | undefined
  /** Why it was parked. */
  readonly reason: string | undefined
  readonly tries: number
  /** Events of the key that wait. */
  readonly waiting: number
  /** Of a gap: the versions that have not come. */
  readonly missing: { readonly from: number; readonly to: number } | undefined
  /** The event that is next. */
  readonly event: {
    readonly id: string
    readonly type: string | undefined
    readonly version: number | undefined
    readonly keyVersion: number
    readonly occurredAtMs: number | undefined
    /** JSON. */
    readonly payload: string | undefined
    readonly traceparent: string | undefined
  }
}

const blockedSql = `
select s.name, k.key, k.version, k.head, k.tries, k.reason,
  (extract(epoch from k.parked_at) * 1000)::bigint as parked_ms,
  i.event_id, i.type, i.version as payload_version, i.occurred_ms, i.payload, i.traceparent,
  (select count(*) from trestle.inbox o where o.subscription = k.subscription and o.generation = k.generation
    and o.key = k.key and o.state = 0) as waiting
from trestle.subscriptions s
join trestle.inbox_keys k on k.subscription = s.id and k.generation = s.generation
join lateral (
  select * from trestle.inbox i where i.subscription = k.subscription and i.generation = k.generation
    and i.key = k.key and i.epoch = k.head_epoch and i.key_version = k.head and i.state = 0 order by i.event_id limit 1) i on true
where ($1::text is null or s.name = $1) and ($2::text is null or k.key = $2)
  and ${isBlocked} and (s.name, k.key) > ($3, $4)
order by s.name, k.key limit $5`

/** What to list of the blocked keys. */
export interface BlockedQuery {
  /** Default: of all subscriptions. */
  readonly subscription?: string
  readonly key?: string
  /** Behind which one to go on. */
  readonly after?: { readonly subscription: string; readonly key: string }
  /** Default 100. */
  readonly max?: number
}

/** Keys that are parked or wait for an event that has not come, in the order of subscription and key. */
export async function blockedKeys(db: AnyDb, query: BlockedQuery = {}): Promise<readonly BlockedKey[]> {
  const { subscription = null, key = null, after, max = 100 } = query
  const parameters = [subscription, key, after?.subscription ?? '', after?.key ?? '', max]
  return (await rowsOf<Row>(db, blockedSql, parameters)).map(toBlocked)
}

function toBlocked(row: Row): BlockedKey {
  const [version, head] = [Number(row['version']), Number(row['head'])]
  const isGap = head > version + 1
  return {
    subscription: String(row['name']),
    key: String(row['key']),
    why: row['parked_ms'] === null ? 'gap' : 'parked',
    parkedAtMs: number(row['parked_ms']),
    reason: text(row['reason']),
    tries: Number(row['tries']),
    waiting: Number(row['waiting']),
    missing: isGap ? { from: version + 1, to: head - 1 } : undefined,
    event: {
      id: String(row['event_id']),
      type: text(row['type']),
      version: number(row['payload_version']),
      keyVersion: head,
      occurredAtMs: number(row['occurred_ms']),
      payload: text(row['payload']),
      traceparent: text(row['traceparent']),
    },
  }
}

function text(value: string | number | null | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

function number(value: string | number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

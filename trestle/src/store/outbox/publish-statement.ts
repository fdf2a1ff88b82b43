/** An event that a transaction has published and not committed yet. */
export interface BufferedEvent {
  readonly id: string
  readonly stream: string
  readonly type: string
  readonly version: number
  readonly key: string
  /** JSON without a raw line feed: what `JSON.stringify` makes. */
  readonly payload: string
  /** Milliseconds since 1970. */
  readonly occurredAt: number
}

/** SQL and its parameters. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/**
 * A key's row is locked by counting its version up, and its place in the feed is drawn under that lock: transactions of
 * one key follow each other in the feed as they did in the database. A key that was last used in an earlier epoch forgets
 * the transaction id of then.
 */
const countUp = `on conflict (stream, key) do update set
    version = k.version + excluded.version,
    epoch = excluded.epoch,
    feed_xid = case when k.epoch = excluded.epoch then greatest(k.feed_xid, excluded.feed_xid) else excluded.feed_xid end`

const columns = 'epoch, feed_xid, seq, key_version, id, stream, type, version, key, occurred_at, traceparent, payload'

const one = `with locked as (
  insert into trestle.outbox_keys as k (stream, key, version, epoch, feed_xid)
  select $1, $2, 1, f.epoch, pg_current_xact_id() from trestle.feed f
  ${countUp}
  returning k.version, k.epoch, k.feed_xid
)
insert into trestle.outbox (${columns})
select l.epoch, l.feed_xid, nextval('trestle.outbox_seq'), l.version, $3::uuid, $1, $4, $5::integer, $2, $6::bigint, $7, $8
from locked l`

/** Rows come out of `unnest` in their order, so keys are locked in the order in which they are given. */
const many = `with locked as (
  insert into trestle.outbox_keys as k (stream, key, version, epoch, feed_xid)
  select g.stream, g.key, g.events, f.epoch, pg_current_xact_id()
  from trestle.feed f cross join unnest($1::text[], $2::text[], $3::bigint[]) as g (stream, key, events)
  ${countUp}
  returning k.stream, k.key, k.version, k.epoch, k.feed_xid
)
insert into trestle.outbox (${columns})
select o.epoch, o.feed_xid, nextval('trestle.outbox_seq'), o.version - o.later, o.id, o.stream, o.type, o.schema, o.key,
  o.occurred_at, $11, o.payload
from (
  select l.epoch, l.feed_xid, l.version, e.later, e.id, l.stream, e.type, e.schema, l.key, e.occurred_at, e.payload
  from rows from (
    unnest($4::uuid[]), unnest($5::integer[]), unnest($6::text[]), unnest($7::integer[]), unnest($8::integer[]),
    unnest($9::bigint[]), string_to_table($10, E'\\n')
  ) with ordinality as e (id, nth, type, schema, later, occurred_at, payload, position)
  join unnest($1::text[], $2::text[]) with ordinality as g (stream, key, nth) on g.nth = e.nth
  join locked l on l.stream = g.stream and l.key = g.key
  order by e.position
) o`

/** What writes these events down, in one statement. */
export function publishStatement(events: readonly BufferedEvent[], traceparent: string): Statement {
  const [first] = events
  if (events.length === 1 && first !== undefined) {
    const { stream, key, id, type, version, occurredAt, payload } = first
    return { sql: one, parameters: [stream, key, id, type, version, occurredAt, traceparent, payload] }
  }
  return { sql: many, parameters: manyParameters(events, traceparent) }
}

interface KeyGroup {
  readonly stream: string
  readonly key: string
  events: number
  seen: number
  nth: number
}

/** Arrays as text: only keys can hold what has to be escaped. */
function manyParameters(events: readonly BufferedEvent[], traceparent: string): readonly unknown[] {
  const { groups, groupOf } = grouped(events)
  const later = events.map((_, index) => {
    const group = groupOf[index] as KeyGroup
    group.seen += 1
    return group.events - group.seen
  })
  return [
    groups.map(({ stream }) => stream),
    groups.map(({ key }) => key),
    list(groups.map((group) => group.events)),
    list(events.map(({ id }) => id)),
    list(groupOf.map(({ nth }) => nth)),
    list(events.map(({ type }) => type)),
    list(events.map(({ version }) => version)),
    list(later),
    list(events.map(({ occurredAt }) => occurredAt)),
    events.map(({ payload }) => payload).join('\n'),
    traceparent,
  ]
}

/** In one order everywhere: two transactions that publish X, Y and Y, X would wait for each other otherwise. */
function grouped(events: readonly BufferedEvent[]) {
  const known = new Map<string, KeyGroup>()
  const groupOf = events.map(({ stream, key }) => {
    const name = `${stream}\n${key}`
    let group = known.get(name)
    if (group === undefined) known.set(name, (group = { stream, key, events: 0, seen: 0, nth: 0 }))
    group.events += 1
    return group
  })
  const groups = [...known.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
  for (const [index, group] of groups.entries()) group.nth = index + 1
  return { groups, groupOf }
}

function list(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`
}

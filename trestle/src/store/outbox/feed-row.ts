import type { PgResult } from '../connection/pg-connection.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'

/** Runs one statement that only reads. */
export type Ask = (sql: string, parameters: readonly unknown[]) => Promise<PgResult>

/** Before every event. */
export const beginning: EventPosition = { epoch: 0, xid: '0', seq: '0' }

/** How far the feed is certain: no event before it can still come. */
const certain = `select epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from trestle.feed`

/**
 * In the order of the feed, up to where it is certain. Header-only where the type was not asked for. There is always a
 * row: that of how far the feed is certain, where there is no event.
 */
export const readFeed = `select f.epoch as f_epoch, f.xid as f_xid, o.*
from (${certain}) f left join lateral (
  select o.epoch, o.feed_xid, o.seq, o.id, o.type, o.version, o.key, o.key_version, o.occurred_at, o.traceparent,
    case when $5::text[] is null or o.type = any ($5::text[]) then o.payload end as payload
  from trestle.outbox o
  where o.stream = $1
    and (o.epoch, o.feed_xid, o.seq) > ($2::bigint, $3::xid8, $4::bigint)
    and (o.epoch, o.feed_xid) < (f.epoch, f.xid)
  order by o.epoch, o.feed_xid, o.seq
  limit $6
) o on true`

export const readHead = certain

export const readPositionAt = `select epoch, feed_xid, seq from trestle.outbox
where published_at >= to_timestamp($1::double precision / 1000)
order by epoch, feed_xid, seq limit 1`

type Row = Readonly<Record<string, unknown>>

export function envelopeOf(stream: string, row: Row): EventEnvelope {
  return {
    id: row['id'] as string,
    stream,
    type: row['type'] as string,
    version: row['version'] as number,
    key: row['key'] as string,
    keyVersion: Number(row['key_version']),
    occurredAt: Number(row['occurred_at']),
    payload: (row['payload'] as string | null) ?? undefined,
    traceparent: row['traceparent'] as string,
    position: { epoch: Number(row['epoch']), xid: row['feed_xid'] as string, seq: row['seq'] as string },
  }
}

/** Negative when `a` comes first. */
export function comparePositions(a: EventPosition, b: EventPosition): number {
  return a.epoch - b.epoch || compareDecimals(a.xid, b.xid) || compareDecimals(a.seq, b.seq)
}

function compareDecimals(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

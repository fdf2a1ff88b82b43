import type { PgResult } from '../connection/pg-connection.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'

/** Runs one statement that only reads. */
export type Ask = (sql: string, parameters: readonly unknown[]) => Promise<PgResult>

/** How far the feed is certain: every transaction with a smaller id has ended, so nothing can come before it any more. */
const certain = 'select epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from trestle.feed'

/**
 * In the order of the feed, up to where it is certain. Header-only where the type was not asked for. There is always a
 * row, which says how far the feed is certain, whether there is more that is committed and held back by another
 * transaction, whether what follows the position has been dropped, and whether the position is of a future that this
 * database has not had: then it was put back by a copy of its disk. That is asked once, not for each event: looking for what
 * is held back passes over everything that is not committed yet.
 */
const readFeed = `with f as materialized (
  select c.epoch as f_epoch, c.xid as f_xid,
    exists (
      select from trestle.outbox h where h.stream = $1 and (h.epoch, h.feed_xid) >= (c.epoch, c.xid)
    ) as f_held,
    exists (
      select from trestle.outbox_dropped d
      where d.stream = $1 and (d.epoch, d.xid, d.seq) > ($2::bigint, $3::xid8, $4::bigint)
    ) as f_dropped,
    $2::bigint = c.epoch and $3::xid8 > pg_snapshot_xmax(pg_current_snapshot()) as f_ahead
  from (${certain}) c
)
select f.*, o.*
from f left join lateral (
  select o.epoch, o.feed_xid, o.seq, o.id, o.type, o.version, o.key, o.key_version, o.occurred_at, o.traceparent,
    case when $5::text[] is null or o.type = any ($5::text[]) then o.payload end as payload
  from trestle.outbox o
  where o.stream = $1
    and (o.epoch, o.feed_xid, o.seq) > ($2::bigint, $3::xid8, $4::bigint)
    and (o.epoch, o.feed_xid) < (f.f_epoch, f.f_xid)
  order by o.epoch, o.feed_xid, o.seq
  limit $6
) o on true`

/** What one look at the feed has found. */
export interface FeedLook {
  readonly events: readonly EventEnvelope[]
  /** Nothing before it can still come. */
  readonly certain: EventPosition
  /** Something is committed and held back, because an older transaction is still open. */
  readonly held: boolean
  /** Of what follows the position some is no longer kept. */
  readonly dropped: boolean
  /** The position was given by this database in a state that it no longer is in. */
  readonly ahead: boolean
}

export async function lookAtFeed(
  ask: Ask,
  stream: string,
  { epoch, xid, seq }: EventPosition,
  types: readonly string[] | undefined,
  max: number,
): Promise<FeedLook> {
  const { rows } = await ask(readFeed, [stream, epoch, xid, seq, types ?? null, max])
  const [first] = rows as [Row]
  return {
    events: first['id'] === null ? [] : rows.map((row) => envelopeOf(stream, row)),
    certain: { epoch: Number(first['f_epoch']), xid: first['f_xid'] as string, seq: '0' },
    held: first['f_held'] as boolean,
    dropped: first['f_dropped'] as boolean,
    ahead: first['f_ahead'] as boolean,
  }
}

export async function readHead(ask: Ask): Promise<EventPosition> {
  const { rows } = await ask(certain, [])
  return { epoch: Number(rows[0]?.['epoch']), xid: rows[0]?.['xid'] as string, seq: '0' }
}

const readPositionAt = `select epoch, feed_xid, seq - 1 as seq from trestle.outbox
where published_at >= to_timestamp($1::double precision / 1000)
order by epoch, feed_xid, seq limit 1`

/** Before the first event that was published since; `undefined` when there is none. */
export async function readPositionBefore(ask: Ask, timeMs: number): Promise<EventPosition | undefined> {
  const { rows } = await ask(readPositionAt, [timeMs])
  return rows[0] === undefined ? undefined : positionOf(rows[0])
}

type Row = Readonly<Record<string, unknown>>

function positionOf(row: Row): EventPosition {
  return { epoch: Number(row['epoch']), xid: row['feed_xid'] as string, seq: row['seq'] as string }
}

function envelopeOf(stream: string, row: Row): EventEnvelope {
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
    position: positionOf(row),
  }
}

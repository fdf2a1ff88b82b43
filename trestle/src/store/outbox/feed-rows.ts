import type { PgResult } from '../connection/pg-connection.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'

/** Runs one statement that only reads. */
export type Ask = (sql: string, parameters: readonly unknown[]) => Promise<PgResult>

/** How far the feed is certain: every transaction with a smaller id has ended, so nothing can come before it any more. */
const certain = 'select epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from trestle.feed'

const readFeed = 'select * from trestle.read_feed($1, $2::bigint, $3::xid8, $4::bigint, $5::text[], $6, $7::bigint)'

/** Bytes of payloads after which one look takes no further event. */
export const lookMaxBytes = 8 << 20

/** What one look at the feed has found. */
export interface FeedLook {
  readonly events: readonly EventEnvelope[]
  /** There may be more behind these: as many were found as were asked for, or as many bytes as are taken at once. */
  readonly more: boolean
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
  const { rows } = await ask(readFeed, [stream, epoch, xid, seq, types ?? null, max, lookMaxBytes])
  const [first] = rows as [Row]
  return {
    events: first['id'] === null ? [] : rows.map((row) => envelopeOf(stream, row)),
    more: rows.length >= max || rows.length < Number(first['found']),
    certain: { epoch: Number(first['f_epoch']), xid: first['f_xid'] as string, seq: '0' },
    held: first['f_held'] as boolean,
    dropped: first['f_dropped'] as boolean,
    ahead: (first['f_ahead'] as boolean) || epoch > Number(first['f_epoch']),
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

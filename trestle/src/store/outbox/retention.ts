import { quoteName } from '../server/database-names.ts'
import type { PlatformStatement } from '../store.ts'

/** One replica does it; the others have nothing to do meanwhile. */
const takeTurn = 'select 1 as mine from trestle.feed for update skip locked'

const missingDays = `select day::date::text as day
from (
  select distinct date_trunc('day', published_at at time zone 'UTC') as day from trestle.outbox_rest
  union
  select generate_series(today, today + interval '2 days', interval '1 day')
  from (select date_trunc('day', now() at time zone 'UTC') as today) t
) days
where to_regclass('trestle.outbox_' || to_char(day, 'YYYYMMDD')) is null
order by 1`

const oldPartitions = `select c.relname as name
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'trestle.outbox'::regclass and c.relname ~ '^outbox_[0-9]{8}$'
  and substr(c.relname, 8) <= to_char((now() at time zone 'UTC') - make_interval(days => $1::integer + 1), 'YYYYMMDD')
order by 1`

/** The last event of each stream in a partition, whether nothing can come before it, and who has not read it. */
const lastOfStreams = (partition: string) => `with recursive streams as (
  (select stream from ${partition} order by stream limit 1)
  union all
  select (select p.stream from ${partition} p where p.stream > s.stream order by p.stream limit 1)
  from streams s where s.stream is not null
)
select l.stream, l.epoch, l.feed_xid as xid, l.seq,
  (l.epoch, l.feed_xid) < (f.epoch, pg_snapshot_xmin(pg_current_snapshot())) as certain,
  array(
    select r.reader::text from trestle.outbox_readers r
    where r.stream = l.stream and (r.epoch, r.xid, r.seq) < (l.epoch, l.feed_xid, l.seq) order by 1
  ) as behind
from streams s
cross join lateral (
  select p.stream, p.epoch, p.feed_xid, p.seq from ${partition} p
  where p.stream = s.stream order by p.epoch desc, p.feed_xid desc, p.seq desc limit 1
) l
cross join trestle.feed f
where s.stream is not null`

const noteDropped = `insert into trestle.outbox_dropped as d (stream, epoch, xid, seq)
values ($1, $2::bigint, $3::xid8, $4::bigint)
on conflict (stream) do update set epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq
where (d.epoch, d.xid, d.seq) < (excluded.epoch, excluded.xid, excluded.seq)`

const forgetReaders = `delete from trestle.outbox_readers
where seen_at < now() - make_interval(days => $1::integer) returning stream, reader`

/** Runs work in a transaction, which waits for locks only briefly: publishers queue behind who waits. */
export type InTransaction = <T>(work: (send: PlatformStatement) => Promise<T>) => Promise<T>

export interface RetentionDeps {
  readonly inTransaction: InTransaction
  readonly retentionDays: number
  /** A reader that has not been seen for so long is forgotten. */
  readonly readerForgottenAfterDays: number
}

/** What was done, and what could not be done. */
export interface RetentionReport {
  readonly dropped: readonly string[]
  /** Partitions past their time that somebody has not read yet. */
  readonly keptFor: readonly { readonly partition: string; readonly reader: string; readonly stream: string }[]
  readonly forgotten: readonly { readonly reader: string; readonly stream: string }[]
}

/** Makes partitions ahead of time, and drops those that are past theirs and that everybody has read. */
export async function retain(deps: RetentionDeps): Promise<RetentionReport> {
  const { inTransaction, retentionDays, readerForgottenAfterDays } = deps
  const keptFor: { partition: string; reader: string; stream: string }[] = []
  const found = await inTransaction(async (send) => {
    if ((await send(takeTurn, [])).rows.length === 0) return undefined
    const { rows } = await send(forgetReaders, [readerForgottenAfterDays])
    const days = (await send(missingDays, [])).rows.map((row) => row['day'] as string)
    return { forgotten: rows as { reader: string; stream: string }[], days }
  })
  if (found === undefined) return { dropped: [], keptFor, forgotten: [] }
  for (const day of found.days) await inTransaction((send) => makePartition(send, day))
  const dropped: string[] = []
  const old = await inTransaction((send) => send(oldPartitions, [retentionDays]))
  for (const name of old.rows.map((row) => row['name'] as string)) {
    const behind = await inTransaction((send) => dropIfRead(send, name))
    if (behind === undefined) continue
    if (behind.length === 0) dropped.push(name)
    for (const one of behind) keptFor.push({ partition: name, ...one })
  }
  return { dropped, keptFor, forgotten: found.forgotten }
}

/** Makes those of the next days, so that nothing has to be moved later. */
export async function makePartitionsAhead(send: PlatformStatement): Promise<void> {
  const { rows } = await send(missingDays, [])
  for (const row of rows) await makePartition(send, row['day'] as string)
}

async function makePartition(send: PlatformStatement, day: string): Promise<void> {
  await send('select trestle.make_outbox_partition($1::date)', [day])
}

/** Who has not read it; `undefined`: it cannot be dropped yet, or is gone. */
async function dropIfRead(
  send: PlatformStatement,
  name: string,
): Promise<readonly { readonly reader: string; readonly stream: string }[] | undefined> {
  const partition = `trestle.${quoteName(name)}`
  const turn = await send(takeTurn, [])
  const there = await send('select to_regclass($1) is not null as there', [partition])
  if (turn.rows.length === 0 || there.rows[0]?.['there'] !== true) return undefined
  const { rows } = await send(lastOfStreams(partition), [])
  const streams = rows as {
    stream: string
    epoch: string
    xid: string
    seq: string
    certain: boolean
    behind: string[]
  }[]
  if (streams.some(({ certain }) => !certain)) return undefined
  const behind = streams.flatMap(({ stream, behind: readers }) => readers.map((reader) => ({ reader, stream })))
  if (behind.length > 0) return behind
  for (const { stream, epoch, xid, seq } of streams) await send(noteDropped, [stream, epoch, xid, seq])
  await send(`drop table ${partition}`, [])
  return []
}

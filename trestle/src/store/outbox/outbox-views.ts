import { type Kysely, sql } from 'kysely'

/** What is kept of one stream, and who reads it; times in milliseconds since 1970. */
export interface StreamView {
  readonly stream: string
  /** Events that are kept. */
  readonly events: number
  readonly oldestAtMs: number | undefined
  readonly newestAtMs: number | undefined
  /** Those who have read it, each with the events that it has not read yet. */
  readonly readers: readonly { readonly reader: string; readonly seenAtMs: number; readonly unread: number }[]
}

interface StreamRow {
  readonly stream: string
  readonly events: string
  readonly oldest: Date | null
  readonly newest: Date | null
}

interface ReaderRow {
  readonly stream: string
  readonly reader: string
  readonly seen_at: Date
  readonly unread: string
}

/** The streams of a service's database. Reads its whole outbox: for people, not for programs that poll. */
// oxlint-disable-next-line typescript/no-explicit-any -- the platform's own tables
export async function streamViews(db: Kysely<any>): Promise<readonly StreamView[]> {
  const [streams, readers] = await Promise.all([
    sql<StreamRow>`
      select stream, count(*) as events, min(published_at) as oldest, max(published_at) as newest
      from trestle.outbox group by stream order by stream`.execute(db),
    sql<ReaderRow>`
      select reader.stream, reader.reader, reader.seen_at,
        (select count(*) from trestle.outbox event
          where event.stream = reader.stream
            and (event.epoch, event.feed_xid, event.seq) > (reader.epoch, reader.xid, reader.seq)) as unread
      from trestle.outbox_readers reader order by reader.stream, reader.reader`.execute(db),
  ])
  const ofStream = Map.groupBy(readers.rows, (row) => row.stream)
  return streams.rows.map(({ stream, events, oldest, newest }) => ({
    stream,
    events: Number(events),
    oldestAtMs: oldest?.getTime(),
    newestAtMs: newest?.getTime(),
    readers: (ofStream.get(stream) ?? []).map(({ reader, seen_at, unread }) => ({
      reader,
      seenAtMs: seen_at.getTime(),
      unread: Number(unread),
    })),
  }))
}

import type { PlatformStatement } from '../store.ts'
import type { EventPosition } from './event-envelope.ts'

/** Readers of one process; of more the place is not remembered. */
const readersMax = 1_000

const upsert = `insert into trestle.outbox_readers as r (stream, reader, epoch, xid, seq)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::xid8[], $5::bigint[])
on conflict (stream, reader) do update
set epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq, seen_at = excluded.seen_at`

interface Place {
  readonly stream: string
  readonly reader: string
  readonly position: EventPosition
}

/** How far readers are, as they say with each read. Written down together, now and then: what they lag behind is kept. */
export class ReaderPlaces {
  readonly #places = new Map<string, Place>()

  note(stream: string, reader: string, position: EventPosition): void {
    const name = `${stream}\n${reader}`
    if (this.#places.size >= readersMax && !this.#places.has(name)) return
    this.#places.set(name, { stream, reader, position })
  }

  async flush(send: PlatformStatement): Promise<void> {
    const places = [...this.#places.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place)
    if (places.length === 0) return
    await send(upsert, [
      places.map(({ stream }) => stream),
      places.map(({ reader }) => reader),
      places.map(({ position }) => position.epoch),
      places.map(({ position }) => position.xid),
      places.map(({ position }) => position.seq),
    ])
    this.#forget(places)
  }

  /** What has been noted meanwhile is for the next time. */
  #forget(places: readonly Place[]): void {
    for (const place of places) {
      const name = `${place.stream}\n${place.reader}`
      if (this.#places.get(name) === place) this.#places.delete(name)
    }
  }
}

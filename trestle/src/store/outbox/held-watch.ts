import type { Clock } from '../../std/clock.ts'
import type { StoreLog } from '../provider.ts'
import type { EventPosition } from './event-envelope.ts'
import type { Ask } from './feed-rows.ts'

/** A feed that is held back for longer is worth a line in the log. */
const warnAfterMs = 5_000

/** Whatever streams there are, found one after the other in the index, and the last event of each. */
const readHeld = `with recursive streams as (
  (select stream from trestle.outbox order by stream limit 1)
  union all
  select (select o.stream from trestle.outbox o where o.stream > s.stream order by o.stream limit 1)
  from streams s where s.stream is not null
)
select c.epoch, c.xid, exists (
  select from streams s cross join lateral (
    select o.epoch, o.feed_xid from trestle.outbox o where o.stream = s.stream
    order by o.epoch desc, o.feed_xid desc, o.seq desc limit 1) last
  where (last.epoch, last.feed_xid) >= (c.epoch, c.xid)
) as held
from (select epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from trestle.feed) c`

/** Whose transaction it is. What belongs to another role may be seen in part only. */
const readHolder = `select a.pid::text as pid, a.datname::text as database, a.usename::text as role, a.application_name as application,
  (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::bigint::text as "ageMs"
from pg_stat_activity a where a.backend_xid::text = ($1::xid8::xid)::text
union all
select null, p.database::text, p.owner::text, 'prepared transaction ' || p.gid,
  (extract(epoch from clock_timestamp() - p.prepared) * 1000)::bigint::text
from pg_prepared_xacts p where p.transaction::text = ($1::xid8::xid)::text
limit 1`

/**
 * Watches for how long one transaction, of this database or of another one on the same server, has held back what others
 * have committed: nothing is lost by that, but nothing arrives either.
 */
export class HeldWatch {
  readonly #clock: Clock
  readonly #log: StoreLog
  #xid = ''
  #sinceMs = 0
  #held = false
  #warned = false

  constructor(clock: Clock, log: StoreLog) {
    this.#clock = clock
    this.#log = log
  }

  /** For how long at least; 0 when nothing is held back. */
  get heldMs(): number {
    return this.#held ? this.#clock.monotonic() - this.#sinceMs : 0
  }

  /** What a look at a feed has seen. */
  saw({ xid }: EventPosition, held: boolean): void {
    if (xid !== this.#xid) {
      this.#xid = xid
      this.#sinceMs = this.#clock.monotonic()
      this.#held = false
      this.#warned = false
    }
    this.#held ||= held
  }

  /** Looks, also when nobody reads, and says once who holds the feed back. */
  async check(ask: Ask): Promise<void> {
    const { rows } = await ask(readHeld, [])
    const [row] = rows
    if (row === undefined) return
    this.saw({ epoch: 0, xid: row['xid'] as string, seq: '0' }, row['held'] as boolean)
    if (this.heldMs < warnAfterMs || this.#warned) return
    this.#warned = true
    const xid = this.#xid
    const holder = await ask(readHolder, [xid])
    this.#log.warn(
      { heldMs: Math.round(this.heldMs), xid, ...holder.rows[0] },
      'an open transaction holds back the events of all others',
    )
  }
}

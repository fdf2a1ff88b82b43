import type { Clock, Timer } from '../../std/clock.ts'
import type { RecordStore } from './record.ts'

/** Records that are forgotten by one statement. */
const recordsMax = 1_000
/**
 * How long between two looks, about; and when more is left. Ten thousand records a second are forgotten then, by each replica:
 * more than the same database can take on, so what is kept stays bounded by what arrives while it is kept.
 */
const everyMs = 60_000
const againMs = 100

export interface ForgettingDeps {
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
}

/** Forgets old replies, and what was undone long ago. Replicas do not wait for each other. */
export interface Forgetting {
  /** Waits for the statement that is on its way. */
  stop(): Promise<void>
}

/** Begins to forget the replies to keys whose time has passed: a bounded number at a time, now and then. */
export function startForgetting(store: RecordStore, { clock, random }: ForgettingDeps): Forgetting {
  let timer: Timer | undefined
  let running = Promise.resolve()
  let isStopped = false
  const plan = (ms: number): void => {
    if (isStopped) return
    timer = clock.setTimeout(
      () => {
        running = forget(store, clock.now()).then(
          (isMore) => plan(isMore ? againMs : everyMs),
          // The database is away, which others say; nobody misses what is forgotten later.
          () => plan(everyMs),
        )
      },
      ms * (0.5 + random()),
    )
  }
  plan(everyMs)
  return {
    async stop() {
      isStopped = true
      timer?.cancel()
      await running
    },
  }
}

/** Forgets a bounded number of each; resolves to whether there is more. */
export async function forget(store: RecordStore, nowMs: number): Promise<boolean> {
  const forgotten: (number | null)[] = []
  for (const table of ['trestle.once', 'trestle.once_cancelled']) {
    const sql = `delete from ${table} where ctid = any (array(
      select ctid from ${table} where keep_until_ms <= $1 order by keep_until_ms limit ${recordsMax} for update skip locked))`
    forgotten.push((await store.statement('write', sql, [nowMs])).rowCount)
  }
  return forgotten.includes(recordsMax)
}

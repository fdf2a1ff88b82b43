import type { EventPosition } from '../outbox/event-envelope.ts'
import { type AnyDb, rowsOf } from './statement.ts'
import type { FeedStart } from '../outbox/bus.ts'

/** What is written down of a subscription of this service. */
export interface SubscriptionRow {
  readonly id: number
  readonly generation: number
  readonly start: FeedStart
}

/** The right to pull events for a subscription, until it runs out. */
export interface Lease extends SubscriptionRow {
  readonly fence: string
}

interface Row {
  readonly id: number
  readonly generation: number
  readonly begins: 'earliest' | 'latest' | 'time'
  readonly begins_ms: string | null
  readonly epoch: string | null
  readonly xid: string | null
  readonly seq: string | null
  readonly fence: string
}

const columns = 'id, generation, begins, begins_ms, epoch, xid, seq, fence'

const registerSql = `
insert into trestle.subscriptions as s (name, stream, begins) values ($1, $2, $3)
on conflict (name) do update set name = excluded.name
returning stream, ${columns}`

/**
 * Writes a subscription down, once for ever.
 * @throws TypeError when the name is known with another stream: the place in that one says nothing in this one, and
 * replicas that read it may still run
 */
export async function registerSubscription(
  db: AnyDb,
  { name, stream, from }: { readonly name: string; readonly stream: string; readonly from: 'earliest' | 'latest' },
): Promise<SubscriptionRow> {
  const [row] = await rowsOf<Row & { readonly stream: string }>(db, registerSql, [name, stream, from])
  const known = row as NonNullable<typeof row>
  if (known.stream === stream) return toLease(known)
  throw new TypeError(
    `the subscription '${name}' is to ${known.stream}; one to ${stream} needs a name of its own: { name: '...' }`,
  )
}

// A lease far in the future was given by a clock that has been put back since: it binds nobody.
const acquireSql = `
update trestle.subscriptions
set lease_holder = $2, lease_until = now() + $3 * interval '1 ms', fence = fence + 1
where id = $1 and (lease_holder is null or lease_holder = $2 or lease_until < now()
  or lease_until > now() + 3 * $3 * interval '1 ms')
returning ${columns}`

/** Takes the right to pull; `undefined` while another process has it. Every taking raises the fence. */
export async function acquireLease(db: AnyDb, id: number, holder: string, leaseMs: number): Promise<Lease | undefined> {
  const [row] = await rowsOf<Row>(db, acquireSql, [id, holder, leaseMs])
  return row === undefined ? undefined : toLease(row)
}

const renewSql = `
update trestle.subscriptions set lease_until = now() + $2 * interval '1 ms'
where lease_holder = $1 and id = any($3::integer[])
returning ${columns}`

/** Keeps all leases of a process, and says which ones it still has and how they stand. */
export async function renewLeases(
  db: AnyDb,
  holder: string,
  leaseMs: number,
  ids: readonly number[],
): Promise<readonly Lease[]> {
  return (await rowsOf<Row>(db, renewSql, [holder, leaseMs, [...ids]])).map(toLease)
}

const releaseSql = `
update trestle.subscriptions set lease_holder = null, lease_until = null
where lease_holder = $1 and id = any($2::integer[])`

/** Lets others pull at once. */
export async function releaseLeases(db: AnyDb, holder: string, ids: readonly number[]): Promise<void> {
  await rowsOf(db, releaseSql, [holder, [...ids]])
}

// Without a row the division fails, and with it the transaction: a puller whose lease is gone may not move the place.
const moveSql = `
with moved as (
  update trestle.subscriptions
  set epoch = $4, xid = $5, seq = $6,
      accepted_at = case when $7::bigint is null then accepted_at else now() end,
      occurred_ms = coalesce($7, occurred_ms)
  where id = $1 and generation = $2 and fence = $3
  returning 1)
select 1 / count(*) from moved`

/** Moves the place of a subscription. The transaction around it fails (22012) when the lease is not valid any more. */
export async function movePosition(
  db: AnyDb,
  lease: Lease,
  next: EventPosition,
  occurredMs: number | undefined,
): Promise<void> {
  const { epoch, xid, seq } = next
  await rowsOf(db, moveSql, [lease.id, lease.generation, lease.fence, epoch, xid, seq, occurredMs ?? null])
}

function toLease(row: Row): Lease {
  return { id: row.id, generation: row.generation, fence: row.fence, start: startOf(row) }
}

function startOf({ begins, begins_ms, epoch, xid, seq }: Row): FeedStart {
  if (epoch !== null && xid !== null && seq !== null)
    return { kind: 'position', position: { epoch: Number(epoch), xid, seq } }
  if (begins === 'time') return { kind: 'time', timeMs: Number(begins_ms) }
  return { kind: begins }
}

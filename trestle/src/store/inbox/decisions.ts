import type { Place } from './claim.ts'
import { isBlocked } from './inbox-state.ts'
import { type AnyDb, rowsOf } from './statement.ts'

const redriveSql = `
with redriven as (
  update trestle.inbox_keys k
  set parked_at = null, tries = 0, next_at = case when k.head <= k.version + 1 then now() end
  from trestle.subscriptions s
  where s.name = $1 and k.subscription = s.id and k.generation = s.generation and ${isBlocked} and k.parked_at is not null
    and ($2::text is null or k.key = $2)
  returning k.key
), noted as (
  insert into trestle.inbox_decisions (subscription, decision, key, reason)
  select $1, 'redrive', key, $3 from redriven)
select count(*) as keys from redriven`

/** Lets parked keys be tried again, one or all of a subscription. Returns how many. */
export async function redriveKeys(
  db: AnyDb,
  subscription: string,
  key: string | undefined,
  reason: string,
): Promise<number> {
  const [row] = await rowsOf<{ keys: string }>(db, redriveSql, [subscription, key ?? null, reason])
  return Number(row?.keys)
}

const headSql = `
select s.id, s.generation, k.key, k.version, k.head, i.epoch, i.event_id
from trestle.subscriptions s
join trestle.inbox_keys k on k.subscription = s.id and k.generation = s.generation and k.key = $2
join trestle.inbox i on i.subscription = k.subscription and i.generation = k.generation and i.key = k.key
  and i.epoch = k.head_epoch and i.key_version = k.head and i.state = 0
where s.name = $1
order by i.event_id limit 1
for update of i`

/** The event that is next for a key. */
export interface Head extends Place {
  readonly of: { readonly id: number; readonly generation: number }
  /** Versions before it that have not come. */
  readonly missing: number
}

/** Finds and locks the event that is next for a key. */
export async function lockHead(db: AnyDb, subscription: string, key: string): Promise<Head | undefined> {
  const [row] = await rowsOf<Readonly<Record<string, string | number>>>(db, headSql, [subscription, key])
  if (row === undefined) return undefined
  const head = Number(row['head'])
  return {
    of: { id: Number(row['id']), generation: Number(row['generation']) },
    id: String(row['event_id']),
    key,
    keyVersion: head,
    epoch: String(row['epoch']),
    missing: Math.max(0, head - Number(row['version']) - 1),
  }
}

const closeGapSql = `
update trestle.inbox_keys set version = head - 1, next_at = case when parked_at is null then now() end
where subscription = $1 and generation = $2 and key = $3 and head = $4`

/** Gives up what is missing before the event that is next. */
export async function closeGap(db: AnyDb, { of, key, keyVersion }: Head): Promise<void> {
  await rowsOf(db, closeGapSql, [of.id, of.generation, key, keyVersion])
}

/** Writes down what a person has decided, and why. */
export async function noteDecision(
  db: AnyDb,
  decision: {
    readonly subscription: string
    readonly decision: 'skip' | 'skip-gap' | 'replay'
    readonly key?: string
    readonly eventId?: string
    readonly reason: string
  },
): Promise<void> {
  const { subscription, key = null, eventId = null, reason } = decision
  await rowsOf(
    db,
    'insert into trestle.inbox_decisions (subscription, decision, key, event_id, reason) values ($1, $2, $3, $4, $5)',
    [subscription, decision.decision, key, eventId, reason],
  )
}

const replaySql = `
update trestle.subscriptions
set generation = generation + 1, begins = $2, begins_ms = $3, epoch = null, xid = null, seq = null,
    accepted_at = null, occurred_ms = null
where id = $1 returning generation`

const giveUpSql = `
with parked as (
  select count(*) as keys from trestle.inbox_keys k
  where k.subscription = $1 and k.generation = $2 and ${isBlocked} and k.parked_at is not null
), gone as (
  delete from trestle.inbox where subscription = $1 and generation = $2 and state = 0 returning 1
)
select (select keys from parked) as keys, (select count(*) from gone) as events`

/** What a replay has given up, because it comes again. */
export interface Replayed {
  readonly generation: number
  readonly givenUp: { readonly waiting: number; readonly parkedKeys: number }
}

/**
 * Begins a new generation: nothing counts as handled any more. What is being handled right now is waited for, before the
 * subscription's row is touched: who takes events or keeps leases must not wait for it too. What has come in between is given
 * up under the lock of that row. Who handles that, and waits for who takes more, is in a circle with this one: the
 * transaction is to be tried again.
 */
export async function beginGeneration(
  db: AnyDb,
  subscription: string,
  sinceMs: number | undefined,
): Promise<Replayed | undefined> {
  const idSql = 'select id, generation from trestle.subscriptions where name = $1'
  const [known] = await rowsOf<{ id: number; generation: number }>(db, idSql, [subscription])
  if (known === undefined) return undefined
  const { events: before } = await giveUp(db, known.id, known.generation)
  const begins = sinceMs === undefined ? 'earliest' : 'time'
  const raised = await rowsOf<{ generation: number }>(db, replaySql, [known.id, begins, sinceMs ?? null])
  const { generation } = raised[0] as NonNullable<(typeof raised)[0]>
  const { events, keys } = await giveUp(db, known.id, generation - 1)
  return { generation, givenUp: { waiting: before + events, parkedKeys: keys } }
}

async function giveUp(db: AnyDb, id: number, generation: number): Promise<{ events: number; keys: number }> {
  const [gone] = await rowsOf<{ keys: string; events: string }>(db, giveUpSql, [id, generation])
  return { events: Number(gone?.events), keys: Number(gone?.keys) }
}

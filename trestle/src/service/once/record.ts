import type { PlatformStatement, WatchableStore } from '../../store/store.ts'
import type { StoredReply } from './stored-reply.ts'

/** Where requests with a key are recorded: the platform's table in the service's own database. */
export type RecordStore = Pick<WatchableStore<unknown>, 'statement'>

/** A request that is ours to work on, as long as nobody takes it over. */
export interface Mine {
  readonly scope: string
  /** Of this attempt: as long as the record has it, the work may be committed. */
  readonly token: string
  /** When the request was worked on for the first time, milliseconds since 1970. */
  readonly beganAtMs: number
}

export interface ClaimRequest {
  readonly scope: string
  readonly fingerprint: string
  readonly token: string
  readonly nowMs: number
  /** How long nobody else may take the request over, milliseconds. */
  readonly leaseMs: number
  /** A lease that lasts longer than this was given before the clock was put back, and holds nobody up. */
  readonly leaseMaxMs: number
  readonly keptMs: number
  /** Work that the key was derived from: once it has been undone, the request does nothing. */
  readonly parents: readonly string[]
  /** Whether the claim must outlive a crash of the database before the work goes on. */
  readonly durable: boolean
}

export type Claim =
  | { readonly kind: 'mine'; readonly mine: Mine }
  | { readonly kind: 'done'; readonly reply: StoredReply }
  | { readonly kind: 'running'; readonly leftMs: number }
  | { readonly kind: 'reused' }
  | { readonly kind: 'cancelled' }

const claimed = (from: string) => `
  insert into trestle.once as o (scope, fingerprint, token, begun_at_ms, lease_until_ms, keep_until_ms)
  select $1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::bigint, $6::bigint ${from}
  on conflict (scope) do update set token = excluded.token, lease_until_ms = excluded.lease_until_ms
    where o.status is null and o.fingerprint = excluded.fingerprint
      and (o.lease_until_ms <= $4 or o.lease_until_ms > $7 or o.token = excluded.token)
  returning o.begun_at_ms`

const found = `
select true as mine, begun_at_ms, null as fingerprint, null as lease_until_ms, null as status, null as content_type,
  null::bytea as reply
from claimed
union all
select false, begun_at_ms, fingerprint, lease_until_ms, status, content_type, reply
from trestle.once where scope = $1 and not exists (select from claimed)`

// What is lost with the database is the claim alone: the work then cannot commit, and its request is as good as new.
const unsynced = `from (select set_config('synchronous_commit', 'off', true)) as quickly`
const alive = `where not exists (select from trestle.once_cancelled where parent = any ($8::uuid[]))`

/** By whether the claim must be durable, and whether the key was derived. */
const claimStatements = {
  durable: { made: `with claimed as (${claimed('')})${found}`, derived: `with claimed as (${claimed(alive)})${found}` },
  quick: {
    made: `with claimed as (${claimed(unsynced)})${found}`,
    derived: `with claimed as (${claimed(`${unsynced} ${alive}`)})${found}`,
  },
}

/** Nothing found: another inserted the row at this moment, and the statement does not see it yet. */
const claimsMax = 5

/** Takes a request on, or says what has become of it: one statement. */
export async function claim(store: RecordStore, request: ClaimRequest): Promise<Claim> {
  const { scope, fingerprint, token, nowMs, leaseMs, leaseMaxMs, keptMs, parents, durable } = request
  const derived = parents.length > 0
  const sql = claimStatements[durable ? 'durable' : 'quick'][derived ? 'derived' : 'made']
  const times = [nowMs, nowMs + leaseMs, nowMs + keptMs, nowMs + leaseMaxMs]
  const values = [scope, fingerprint, token, ...times, ...(derived ? [parents] : [])]
  for (let attempt = 0; attempt < claimsMax; attempt += 1) {
    const { rows } = await store.statement('write', sql, values)
    const row = rows[0] as unknown as ClaimRow | undefined
    if (row !== undefined) return claimOf(row, request)
    if (derived && (await isCancelled(store, parents))) return { kind: 'cancelled' }
  }
  return { kind: 'running', leftMs: 0 }
}

/** A row of the table as the driver reads it: numbers of 64 bits are text. */
interface ClaimRow {
  readonly mine: boolean
  readonly begun_at_ms: string
  readonly fingerprint: string
  readonly lease_until_ms: string
  readonly status: number | null
  readonly content_type: string | null
  readonly reply: Buffer | null
}

function claimOf(row: ClaimRow, { scope, token, fingerprint, nowMs }: ClaimRequest): Claim {
  if (row.mine) return { kind: 'mine', mine: { scope, token, beganAtMs: Number(row.begun_at_ms) } }
  if (row.fingerprint !== fingerprint) return { kind: 'reused' }
  if (row.status === null) return { kind: 'running', leftMs: Math.max(0, Number(row.lease_until_ms) - nowMs) }
  return { kind: 'done', reply: { status: row.status, contentType: row.content_type, bytes: row.reply } }
}

/** The reply to a request, if it has one. */
export async function keptReply(store: RecordStore, scope: string): Promise<StoredReply | undefined> {
  const sql = 'select status, content_type, reply from trestle.once where scope = $1 and status is not null'
  return storedIn((await store.statement('read', sql, [scope])).rows)
}

function storedIn(rows: readonly object[]): StoredReply | undefined {
  const [row] = rows as readonly ClaimRow[]
  if (row === undefined || row.status === null) return undefined
  return { status: row.status, contentType: row.content_type, bytes: row.reply }
}

export async function isCancelled(store: RecordStore, parents: readonly string[]): Promise<boolean> {
  const sql = 'select 1 from trestle.once_cancelled where parent = any ($1::uuid[]) limit 1'
  return (await store.statement('read', sql, [parents])).rows.length > 0
}

const finishing = `update trestle.once set status = $3, content_type = $4, reply = $5
  where scope = $1 and token = $2 and status is null returning 1`
// Divided by zero, the statement fails, and the transaction with it.
const finishStatement = `with finished as (${finishing}) select 1 / count(*) from finished`

/**
 * Writes the reply in the transaction of the work. Rejects, and so rolls that back, when somebody else has taken the
 * request over.
 */
export function finish(send: PlatformStatement, { scope, token }: Mine, reply: StoredReply): Promise<unknown> {
  return send(finishStatement, [scope, token, reply.status, reply.contentType, reply.bytes])
}

/** Writes the reply by itself; `false` when somebody else has taken the request over. */
export async function finishAlone(store: RecordStore, { scope, token }: Mine, reply: StoredReply): Promise<boolean> {
  const values = [scope, token, reply.status, reply.contentType, reply.bytes]
  return (await store.statement('write', finishing, values)).rows.length > 0
}

/** Gives the request up: whoever asks again goes on at once. The input that belongs to the key stays known. */
export async function release(store: RecordStore, { scope, token }: Mine): Promise<void> {
  const sql = 'update trestle.once set lease_until_ms = 0 where scope = $1 and token = $2 and status is null'
  await store.statement('write', sql, [scope, token])
}

/**
 * What became of a commit whose answer was lost: the reply if it was one. Otherwise it can be none any more: a new token
 * stands in its way. Waits for a commit that is still on its way.
 */
export async function settle(store: RecordStore, mine: Mine, newToken: string): Promise<StoredReply | undefined> {
  const fence = `update trestle.once set token = $3, lease_until_ms = 0
    where scope = $1 and token = $2 and status is null returning 1`
  const { rows } = await store.statement('write', fence, [mine.scope, mine.token, newToken])
  if (rows.length > 0) return undefined
  const kept =
    'select status, content_type, reply from trestle.once where scope = $1 and token = $2 and status is not null'
  return storedIn((await store.statement('read', kept, [mine.scope, mine.token])).rows)
}

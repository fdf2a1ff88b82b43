import { strict as assert } from 'node:assert'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Claim, claim, finishAlone, type Mine, type RecordStore } from '../../service/once/record.ts'
import { forget as forgetReplies } from '../../service/once/forget.ts'
import { claimTick, finishTick, renewTick, type ClaimedTick } from '../../service/jobs/job-rows.ts'
import type { SagaSpec } from '../../saga/define-saga.ts'
import type { Instance } from '../../saga/instance.ts'
import { Journal, type Transition } from '../../saga/journal.ts'
import { Ownership } from '../../saga/ownership.ts'
import { forget as forgetSagas } from '../../saga/upkeep.ts'
import { systemClock } from '../../std/clock.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { makeTestDir, writeMigrations } from '../fixtures/store-fixture.ts'
import { addWaiting, advanceKeys, insertHandled, stepOver } from '../inbox/accept.ts'
import {
  type Claimed,
  claimForLease,
  claimInTransaction,
  markHandled,
  noteFailure,
  renewClaim,
} from '../inbox/claim.ts'
import { inboxStates } from '../inbox/inbox-state.ts'
import { type KeyRun, keyRuns } from '../inbox/key-runs.ts'
import { sweepHandled, sweepKeys } from '../inbox/sweep.ts'
import { blockedKeys } from '../inbox/inbox-views.ts'
import { openStore, postgres, type Store } from '../index.ts'
import type { EventEnvelope } from '../outbox/event-envelope.ts'
import { lookAtFeed, readHead } from '../outbox/feed-rows.ts'
import { HeldWatch } from '../outbox/held-watch.ts'
import { publishStatement } from '../outbox/publish-statement.ts'
import { silentLog } from '../provider.ts'
import { type CountedStatements, countedStatements } from './fixtures/counted-statements.ts'

const few = 20
const many = 20_000
/** After so many runs the server decides whether it keeps a plan for all parameters. */
const runsUntilKept = 6

/**
 * Rows `from` to `to` of every table. Subscription 1 has all that waits, five events to a key, and as many keys that have
 * nothing; 2 has handled everything; of 3 all keys wait for a later try; of 4 all that waits has one key. Of 20 sagas one is due, one is owned.
 */
const fill = (from: number, to: number) => `
with g as (select g, 'k' || g as key, ('00000000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid as id
  from generate_series(${from}, ${to}) g),
keys as (insert into trestle.outbox_keys (stream, key, version, epoch, feed_xid)
  select 'orders@1', key, 1, epoch, pg_current_xact_id() from g, trestle.feed),
events as (insert into trestle.outbox
  (epoch, feed_xid, seq, occurred_at, key_version, id, version, stream, type, key, traceparent, payload)
  select epoch, pg_current_xact_id(), g, 0, 1, id, 1, 'orders@1', 'placed', key, '', repeat('x', 100) from g, trestle.feed),
waiting as (insert into trestle.inbox
  (subscription, generation, event_id, state, key, key_version, epoch, type, version, occurred_ms, payload, traceparent)
  select 1, 1, id, 0, 'w' || g / 5, 1 + g % 5, 1, 'placed', 1, 0, '{}', '' from g
  union all select 4, 1, id, 0, 'same', g, 1, 'placed', 1, 0, '{}', '' from g),
handled as (insert into trestle.inbox (subscription, generation, event_id, state, key, key_version, handled_at)
  select 2, 1, id, 1, key, 1, now() from g),
waiting_keys as (insert into trestle.inbox_keys (subscription, generation, key, version, since, head, head_epoch, next_at)
  select 1, 1, 'w' || g / 5, 0, 1, 1, 1, now() - g * interval '1 ms' from g where g % 5 = 0
  union all select 4, 1, 'same', 0, 1, 1, 1, now() from g where g = 1),
idle_keys as (insert into trestle.inbox_keys (subscription, generation, key, version, since) select 1, 1, key, 1, 1 from g),
later_keys as (insert into trestle.inbox_keys (subscription, generation, key, version, since, head, head_epoch, next_at)
  select 3, 1, key, 0, 1, 1, 1, now() + interval '30 min' from g),
replies as (insert into trestle.once
  (scope, fingerprint, token, lease_until_ms, begun_at_ms, keep_until_ms, status, content_type, reply)
  select id, id, id, 0, 0, 1000000 + g, 200, '', '' from g),
undone as (insert into trestle.once_cancelled select id, 1000000 + g from g),
sagas as (insert into trestle.sagas
  (id, name, key, version, state, step, began_at, due_at, event, owner, revision, traceparent, started_at, ended_at)
  select id, 'checkout', key, 1, case when g % 2 = 0 then 'done' when g % 20 < 4 then 'running' else 'waiting' end, 'pay',
    now(), case when g % 20 = 1 then now() - g * interval '1 ms' when g % 2 = 1 and g % 20 > 3 then now() + interval '1 day' end,
    '{}', case when g % 20 = 3 then '00000000-0000-7000-8000-000000000001'::uuid end, 1, '', now(),
    case when g % 2 = 0 then now() end from g),
lines as (insert into trestle.saga_steps (saga, n, step, action, outcome, result, at)
  select id, 1, 'pay', 'run', 'done', '1', now() from g)
select 1`

const rest = `
insert into trestle.subscriptions (name, stream, begins) values ('a', 'orders@1', 'earliest'), ('b', 'orders@1', 'earliest');
insert into trestle.saga_owners values ('00000000-0000-7000-8000-000000000001');
insert into trestle.jobs (name, schedule, due_at, seen_at)
select 'job' || g, 'every 1 s', now() - interval '1 day', now() from generate_series(1, 20) g`

const id = (n: number, of = '00000000') => `${of}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const one = { id: 1, generation: 1 }
const sweep = { after: undefined, max: 20, memoryMs: 86_400_000 }
const place = {
  state: 'running',
  undoing: false,
  pastPivot: false,
  step: 'pay',
  beganAt: 0,
  tries: 0,
  spentMs: 0,
  round: 0,
} as const
const spec = { name: 'checkout', version: 1, earlier: [], migrate: {}, steps: [] } as unknown as SagaSpec

function arrived(count: number, key: (n: number) => string, keyVersion: number): readonly KeyRun[] {
  return keyRuns(
    Array.from({ length: count }, (_, n): EventEnvelope => {
      const position = { epoch: 1, xid: '1', seq: '1' }
      const more = { stream: 'orders@1', type: 'placed', version: 1, occurredAt: 0, payload: '{}', traceparent: '' }
      return { id: id(n, '00000009'), key: key(n), keyVersion, position, ...more }
    }),
  )
}

function publication(count: number) {
  const events = Array.from({ length: count }, (_, n) => ({
    id: id(n, '00000009'),
    stream: 'orders@1',
    type: 'placed',
    version: 1,
    key: `k${n + 1}`,
    payload: '{}',
    occurredAt: 0,
  }))
  return publishStatement(events, '')
}

/** Pages that a piece of work touches for each row that it handles, at most. */
interface Work {
  readonly name: string
  readonly handles: number
  readonly pagesMax: number
  /** Asked seldom: the server may first look at its tables. */
  readonly seldom?: boolean
  readonly run: (statements: CountedStatements) => Promise<unknown>
}

const work = (name: string, handles: number, pagesMax: number, run: Work['run']): Work => ({
  name,
  handles,
  pagesMax,
  run,
})
const seldom = (each: Work): Work => ({ ...each, seldom: true })
const storeOf = ({ db }: CountedStatements) => ({ db }) as unknown as Store<unknown>
const recordsOf = ({ statement }: CountedStatements): RecordStore => ({
  statement: (_, sql, values) => statement(sql, values),
})
const ownershipOf = (statements: CountedStatements) => {
  const clock = { ...systemClock, monotonic: () => 0 }
  return new Ownership({ store: storeOf(statements), clock, newId: () => id(2), leaseMs: 1_000 })
}

const works: readonly Work[] = [
  work('publishing one event', 1, 40, ({ statement }) => {
    const { sql, parameters } = publication(1)
    return statement(sql, parameters)
  }),
  work('publishing 20 events', 20, 25, ({ statement }) => {
    const { sql, parameters } = publication(20)
    return statement(sql, parameters)
  }),
  work('reading 500 events far behind', 500, 1, async ({ statement }) => {
    const { epoch } = await readHead(statement)
    return lookAtFeed(statement, 'orders@1', { epoch, xid: '3', seq: '0' }, undefined, 500)
  }),
  work('reading where nothing new is', 1, 60, async ({ statement }) => {
    return lookAtFeed(statement, 'orders@1', await readHead(statement), undefined, 500)
  }),
  work('looking who holds the feed back', 1, 100, ({ statement }) => {
    return new HeldWatch({ ...systemClock, monotonic: () => 0 }, silentLog).check(statement)
  }),
  work('writing down 100 events of new keys', 100, 60, ({ db }) =>
    addWaiting(
      db,
      one,
      arrived(100, (n) => `new${n}`, 1),
      'first-seen',
    ),
  ),
  work('writing down an event of a key that waits', 1, 80, ({ db }) =>
    addWaiting(
      db,
      one,
      arrived(1, () => 'w1', 9),
      'first-seen',
    ),
  ),
  work('handling 20 events as they arrive', 20, 40, async ({ db }) => {
    const runs = arrived(20, (n) => `k${n + 1}`, 2)
    assert.equal((await advanceKeys(db, one, runs)).size, 20)
    await insertHandled(
      db,
      one,
      runs.flatMap(({ events }) => events),
    )
  }),
  work('stepping over 20 events', 20, 40, ({ db }) =>
    stepOver(
      db,
      one,
      arrived(20, (n) => `k${n + 1}`, 2),
    ),
  ),
  work('handling what waits, in a transaction', 1, 80, async ({ db }) => {
    await markHandled(db, one, (await claimInTransaction(db, one)) as Claimed, 'locked')
  }),
  work('handling what waits, under a claim', 1, 100, async ({ db }) => {
    const event = (await claimForLease(db, one, 1_000)) as Claimed
    await renewClaim(db, one, event, 1_000)
    await markHandled(db, one, event, 'leased')
  }),
  work('handling what waits with all others of its key', 1, 80, async ({ db }) => {
    const same = { id: 4, generation: 1 }
    await markHandled(db, same, (await claimInTransaction(db, same)) as Claimed, 'locked')
  }),
  work('handling what fails', 1, 80, async ({ db }) => {
    const event = (await claimForLease(db, one, 1_000)) as Claimed
    await noteFailure(db, one, event, { reason: '', tries: 1, counted: 1, how: 'leased', waitMs: 0 })
  }),
  work('claiming where all wait for a later try', 1, 40, async ({ db }) => {
    assert.equal(await claimInTransaction(db, { id: 3, generation: 1 }), undefined)
    assert.equal(await claimForLease(db, { id: 3, generation: 1 }, 1_000), undefined)
  }),
  work('looking at the inbox, for each event that waits', many, 1, ({ db }) => inboxStates(db, [1, 2])),
  work('listing keys that wait for a person', 1, 100, ({ db }) => blockedKeys(db)),
  seldom(
    work('looking for 20 events to forget', 20, 10, ({ db }) => sweepHandled(db, { ...sweep, nowMs: 0, whole: true })),
  ),
  seldom(work('looking for 20 keys to forget', 20, 10, ({ db }) => sweepKeys(db, sweep))),
  work('claiming a request with a key, and its reply', 1, 60, async (statements) => {
    const store = recordsOf(statements)
    const mine = await claimed(store, [])
    await finishAlone(store, mine, { status: 200, contentType: '', bytes: Buffer.from('') })
  }),
  work('claiming a request whose key was derived', 1, 60, (statements) =>
    claimed(recordsOf(statements), [id(1, '00000008'), id(2, '00000008')]),
  ),
  seldom(work('forgetting replies that are not old', 1, 60, (statements) => forgetReplies(recordsOf(statements), 0))),
  work('one step of 5 sagas', 5, 40, async (statements) => {
    const signal = new AbortController().signal
    const store = storeOf(statements)
    const journal = new Journal({ store, clock: systemClock, random: () => 0, signal })
    const entry = { step: 'pay', action: 'run', outcome: 'done', tries: 0, beganAt: 0, at: 0 } as const
    const transitions = [1, 3, 5, 7, 9].map((n): Transition => {
      const instance = {
        id: id(n),
        key: `k${n}`,
        spec,
        fence: 0,
        revision: 1,
        place,
        arrivals: {},
      } as unknown as Instance
      return { instance, entries: [entry], move: { place, keep: true } }
    })
    const written = await Promise.all(transitions.map((each) => journal.write(each)))
    assert.ok(!written.includes('lost'))
  }),
  work('claiming the saga that is due longest', 1, 60, async (statements) => {
    const ownership = ownershipOf(statements)
    await ownership.beat()
    assert.equal((await ownership.claim([spec], 1)).length, 1)
  }),
  work('taking over from nobody', 1, 60, async (statements) => {
    assert.equal(await ownershipOf(statements).takeOver(), 0)
  }),
  seldom(
    work('forgetting sagas that are not old', 1, 60, (statements) => {
      const { signal } = new AbortController()
      return forgetSagas(storeOf(statements), 0, { keepEndedMs: 0, keepEarlyMs: 0, signal })
    }),
  ),
  work('running a job', 1, 60, async ({ db }) => {
    const tick = await claimTick(db, {
      name: 'job1',
      schedule: 'every 1 s',
      runner: 'me',
      nowMs: Date.now(),
      leaseMs: 1_000,
    })
    assert.ok(await renewTick(db, tick as ClaimedTick, Date.now()))
    assert.ok(await finishTick(db, tick as ClaimedTick, { nextMs: undefined, nowMs: 0 }))
  }),
]

async function claimed(store: RecordStore, parents: readonly string[]): Promise<Mine> {
  const [scope, fingerprint, token] = [id(1, '00000009'), id(2, '00000009'), id(3, '00000009')]
  const times = { nowMs: 0, leaseMs: 1_000, leaseMaxMs: 1_000, keptMs: 1_000 }
  const request = { scope, fingerprint, token, ...times, parents, durable: false }
  return ((await claim(store, request)) as Extract<Claim, { kind: 'mine' }>).mine
}

async function warm(statements: CountedStatements): Promise<void> {
  for (const { run } of works) {
    for (let runs = 0; runs < runsUntilKept; runs += 1)
      await statements.pages(() => run(statements), { counted: false })
  }
}

/**
 * What touches too many pages, each time: what the server reads about its own tables counts too, and it does that once more
 * when tests of others, on the same server, have changed many of theirs.
 */
async function excesses(statements: CountedStatements, asked = works): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, handles, pagesMax, run } of asked) {
    let pages = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < 3 && pages > handles * pagesMax; tries += 1) {
      pages = Math.min(pages, await statements.pages(() => run(statements)))
    }
    expect(pages).toBeGreaterThan(0)
    if (pages > handles * pagesMax) found.push(`${name}: ${pages} pages, not ${handles * pagesMax}`)
  }
  return found
}

describe('the statements that are asked all the time', () => {
  const dir = makeTestDir()
  let stores: Awaited<ReturnType<typeof testStores>>
  beforeAll(async () => {
    stores = await testStores()
  })
  afterAll(async () => {
    await stores.close()
    dir.remove()
  })

  /** A database with few rows, of which the server itself gathers no statistics. */
  async function young(name: string): Promise<CountedStatements> {
    const connection = await stores.connectionFor(name)
    const store = openStore(postgres({ migrations: writeMigrations(dir.path, {}) }), connection)
    await store.migrate()
    await store.close()
    const statements = await countedStatements(connection.url)
    const { rows } = await statements.command(
      `select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'trestle'::regnamespace`,
    )
    for (const row of rows)
      await statements.command(`alter table ${String(row['name'])} set (autovacuum_enabled = off)`)
    await statements.command(fill(1, few))
    await statements.command(rest)
    return statements
  }

  it('touch a few pages for each row with plans from when there were few rows, and without any statistics', async () => {
    await using statements = await young('unknown')
    await warm(statements)
    await statements.command(fill(few + 1, many))
    const often = works.filter((each) => each.seldom !== true)
    expect(await excesses(statements, often)).toEqual([])
    await statements.forgetPlans()
    await warm(statements)
    expect(await excesses(statements, often)).toEqual([])
  })

  it.each(['old', 'good'])('touch a few pages for each row with %s statistics', async (age) => {
    await using statements = await young(age)
    if (age === 'old') await statements.command('analyze')
    await statements.command(fill(few + 1, many))
    if (age === 'good') await statements.command('analyze')
    await warm(statements)
    expect(await excesses(statements)).toEqual([])
  })
})

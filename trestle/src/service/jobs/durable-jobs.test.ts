import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { watchCrashPoints } from '../../std/crash-points.ts'
import { type OpenStore, openStore } from '../../store/index.ts'
import { type TestStores, testStores } from '../../testing/postgres/shared-postgres.ts'
import { virtualClock, type VirtualClock } from '../../testing/virtual-clock.ts'
import { startDurableJobs, type RunningJobs } from './durable-jobs.ts'
import { atJob, cronJob, everyJob, type Job, type JobArgs } from './job.ts'
import { runJobNow } from './operate-jobs.ts'
import { runJob } from './start-jobs.ts'

interface Tables {
  done: { id: string }
}

const minute = 60_000
const noMigrations = new URL('./fixtures/migrations/', import.meta.url)
let stores: TestStores
let store: OpenStore<Tables>
let clock: VirtualClock
const opened: RunningJobs[] = []
const failures: unknown[] = []
let databases = 0

beforeAll(async () => {
  stores = await testStores()
})
afterAll(() => stores.close())
beforeEach(async () => {
  store = openStore({ kind: 'postgres', migrations: noMigrations }, await stores.connectionFor(`jobs${++databases}`))
  await store.migrate()
  clock = virtualClock()
  failures.length = 0
})
afterEach(async () => {
  watchCrashPoints(undefined)
  for (const each of opened.splice(0)) await each.stop()
  await store.close()
})

/** A replica that runs these jobs. */
async function replica(jobs: readonly Job[], { runner = 'a' } = {}): Promise<RunningJobs> {
  const log = { info() {}, warn() {}, error: (fields: unknown) => void failures.push(fields) }
  const args = { store: undefined as never, progress() {}, log, now: () => clock.now(), newId: () => 'none' }
  const running = await startDurableJobs(jobs, {
    store: store as never,
    runner,
    clock,
    random: () => 0.5,
    log,
    run: (job, run, own) => runJob(job, run, { args: { ...args, store: own as never }, callsFor: () => ({}) }),
  })
  opened.push(running)
  return running
}

/** Real time passes for the database; the jobs' clock stands still meanwhile. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + 20_000
  while (!(await condition())) {
    if (systemClock.monotonic() > deadline) throw new Error('it did not come to this')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Lets time pass in steps in which every replica looks. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await clock.advance(Math.min(5_000, left))
    await quiet()
  }
}

/** Lets time pass no faster than the job is run: a lease does not run out because the database is slow. */
async function passSettled(name: string, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await clock.advance(Math.min(5_000, left))
    await quiet()
    await until(async () => {
      const { due_at: due, lease_until: lease } = await row(name)
      return Number(due) > clock.now() && lease === null
    })
  }
}

/** Lets time pass no faster than so many replicas look: none is taken for one that says nothing. */
async function passLooked(replicas: number, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await clock.advance(Math.min(5_000, left))
    // Each waits for its next look.
    await until(() => clock.pending() >= replicas)
  }
}

/** To the moment at which a job may next be run, unless that is later than `untilMs`. */
async function forward(name: string, untilMs: number): Promise<void> {
  const { due_at: due, retry_at: retry, lease_until: lease } = await row(name)
  const at = Math.max(Number(due), Number(retry), Number(lease))
  if (at > clock.now() && at <= untilMs) await clock.advance(at - clock.now())
}

/** Until nothing has happened for a few round trips. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await store.ping()
}

const write = (args: JobArgs) =>
  (args.store as unknown as OpenStore<Tables>).transaction(async ({ db }) => {
    await db.insertInto('done').values({ id: args.newId() }).execute()
  })
const written = async () => (await store.db.selectFrom('done').select('id').execute()).length
const row = async (name: string) =>
  (await (
    store.db as never as {
      selectFrom(t: string): {
        selectAll(): { where(...a: unknown[]): { executeTakeFirst(): Promise<Record<string, unknown>> } }
      }
    }
  )
    .selectFrom('trestle.jobs')
    .selectAll()
    .where('name', '=', name)
    .executeTakeFirst()) as Record<string, unknown>

/** Whether a job has no more tick to come. */
const isOver = async (name: string) => (await row(name))['due_at'] === null

describe('a durable job', () => {
  it('is run once per tick over all replicas', async () => {
    const ran: number[] = []
    const job = everyJob('1 minute', 'count', async ({ tick }) => void ran.push(tick))
    for (const runner of ['a', 'b', 'c']) await replica([job], { runner })
    const start = clock.now()
    for (let step = 0; step < 18; step++) {
      await clock.advance(10_000)
      // The clock of this test runs faster than the database: no lease may run out meanwhile.
      await until(async () => Number((await row('count'))['due_at']) > clock.now())
    }
    expect(ran).toEqual([1, 2, 3].map((n) => start + n * minute))
  })

  it('goes on where it was when the service comes back, once for all ticks that were missed', async () => {
    const ran: number[] = []
    const job = everyJob('1 minute', 'count', async ({ tick }) => void ran.push(tick))
    const start = clock.now()
    await (await replica([job])).stop()
    await clock.advance(10.5 * minute)
    await replica([job])
    await until(() => ran.length === 1)
    await pass(minute)
    await until(() => ran.length === 2)
    expect(ran.map((tick) => (tick - start) / minute)).toEqual([1, 11])
  })

  it.each([
    ['all', [1, 2, 3, 4]],
    ['skip', [4]],
    ['once', [1, 4]],
  ] as const)('that missed three ticks and keeps to %s runs those', async (missed, wanted) => {
    const ran: number[] = []
    const job = everyJob('1 minute', 'count', async ({ tick }) => void ran.push(tick), { missed })
    const start = clock.now()
    await (await replica([job])).stop()
    await clock.advance(3.5 * minute)
    await replica([job])
    await until(async () => (await row('count'))['due_at']?.valueOf() === start + 4 * minute)
    await pass(0.5 * minute)
    await until(() => ran.length === wanted.length)
    expect(ran.map((tick) => (tick - start) / minute)).toEqual(wanted)
  })

  it('that fails is tried again, ever more seldom, until it succeeds, and then keeps its rhythm', async () => {
    let tries = 0
    const job = everyJob('10 minutes', 'count', async (args) => {
      if (++tries < 3) throw new Error('not yet')
      await write(args)
    })
    const start = clock.now()
    await replica([job])
    await pass(10 * minute)
    await until(() => tries === 1)
    await until(async () => {
      await forward('count', start + 15 * minute)
      return (await written()) === 1
    })
    expect(tries).toBe(3)
    expect(failures).toMatchObject([
      { job: 'count', tries: 1, err: { message: 'not yet' } },
      { job: 'count', tries: 2 },
    ])
    expect(await row('count')).toMatchObject({ failures: '2', runs: '1', last_failure: 'not yet', tries: 0 })
    expect((await row('count'))['due_at']?.valueOf()).toBe(start + 20 * minute)
  })

  it('of a short interval is not put off for longer than that, however often it has failed', async () => {
    let tries = 0
    const job = everyJob('10 seconds', 'count', async () => {
      tries += 1
      throw new Error('the other side is away')
    })
    await replica([job])
    for (let failed = 1; failed <= 8; failed += 1) {
      await forward('count', Infinity)
      await until(async () => Number((await row('count'))['failures']) === failed)
    }
    // Full jitter, of which this test draws the middle.
    expect(Number((await row('count'))['retry_at']) - clock.now()).toBe(5_000)
    expect(tries).toBe(8)
  })

  it('that the database lets nobody claim is claimed no more often than it is looked for', async () => {
    let claims = 0
    watchCrashPoints((reached) => void (claims += reached === 'job.before-claim' ? 1 : 0))
    const start = clock.now()
    await replica([everyJob('10 minutes', 'count', write)])
    await readOnly(async () => {
      await clock.advance(10 * minute)
      await until(() => claims === 1)
      for (let turn = 0; turn < 10; turn++) await quiet()
      expect(claims).toBe(1)
      await pass(minute)
      expect(claims).toBeLessThanOrEqual(13)
    })
    await pass(5_000)
    await until(async () => (await row('count'))['runs'] === '1')
    expect(Number((await row('count'))['due_at'])).toBe(start + 20 * minute)
  })

  it('that another replica has taken over writes nothing when it wakes up', async () => {
    const gate = Promise.withResolvers<void>()
    const begun: string[] = []
    const job = everyJob('10 minutes', 'count', async (args) => {
      begun.push('a')
      if (begun.length === 1) await gate.promise
      await write(args)
    })
    const [first] = [await replica([job], { runner: 'a' })]
    await pass(10 * minute)
    await until(() => begun.length === 1)
    // The first one stands still: its lease is not renewed and runs out.
    await takeAway()
    await replica([job], { runner: 'b' })
    await until(async () => (await written()) === 1)
    gate.resolve()
    await first.stop()
    expect([await written(), begun.length]).toEqual([1, 2])
  })

  it('opens one transaction in a run, which carries the note that the tick has been run', async () => {
    const job = everyJob('1 minute', 'twice', async (args) => {
      await write(args)
      await write(args)
    })
    await replica([job])
    await pass(minute)
    await until(() => failures.length === 1)
    expect(failures).toMatchObject([{ job: 'twice', err: { code: 'second_transaction' } }])
    expect([await written(), (await row('twice'))['runs']]).toEqual([1, '1'])
  })

  it("that returns 'again' is run again at once, under another key", async () => {
    const keys: string[] = []
    const job = everyJob('1 hour', 'sweep', async ({ key }) => {
      keys.push(key)
      clock.jump(1)
      return keys.length < 3 ? 'again' : undefined
    })
    await replica([job])
    await pass(60 * minute)
    await until(() => keys.length === 3)
    await quiet()
    expect(new Set(keys).size).toBe(3)
  })

  it("that returns 'again' passes over none of the ticks that were missed", async () => {
    const ticks: number[] = []
    const start = clock.now()
    const run: Job['run'] = async ({ tick }) => {
      ticks.push(tick - start)
      clock.jump(1)
      return ticks.length < 4 ? 'again' : undefined
    }
    const job = everyJob('1 hour', 'sweep', run, { missed: 'all' })
    await (await replica([job])).stop()
    clock.jump(3 * 60 * minute)
    await replica([job])
    await until(() => ticks.length === 4)
    await quiet()
    const hourMs = 60 * minute
    expect(ticks).toEqual([hourMs, 2 * hourMs, 3 * hourMs, 3 * hourMs + 3])
  })

  it('at one time has one more run when there is more to do, or somebody asks for it, and never again', async () => {
    const ticks: number[] = []
    const start = clock.now()
    const job = atJob(new Date(start + minute), 'once', async ({ tick }) => {
      ticks.push(tick - start)
      clock.jump(1)
      return ticks.length === 1 ? 'again' : undefined
    })
    const jobs = await replica([job])
    await pass(minute)
    await until(async () => ticks.length === 2 && (await isOver('once')))
    expect(await runJobNow(store as never, 'once', clock.now())).toBe(true)
    jobs.look()
    await until(async () => ticks.length === 3 && (await isOver('once')))
    expect(ticks).toEqual([minute, minute + 1, minute + 2])
  })

  it('at one time runs then, and never again; one that has passed runs at once', async () => {
    const ran: string[] = []
    const jobs = [
      atJob(new Date(clock.now() + minute), 'later', async () => void ran.push('later')),
      atJob(new Date(clock.now() - minute), 'passed', async () => void ran.push('passed')),
    ]
    await replica(jobs)
    await until(() => ran.length === 1)
    await pass(2 * minute)
    await until(() => ran.length === 2)
    await (opened[0] as RunningJobs).stop()
    await replica(jobs)
    await pass(5 * minute)
    expect(ran).toEqual(['passed', 'later'])
  })

  it('whose schedule has changed begins anew', async () => {
    await (await replica([cronJob('0 0 1 1 *', 'report', write as never)])).stop()
    await (await replica([cronJob('0 12 * * *', 'report', write as never)])).stop()
    expect((await row('report'))['due_at']?.valueOf()).toBe(clock.now() + 12 * 60 * minute)
  })

  it.each(['job.before-claim', 'job.after-claim', 'job.before-note', 'job.before-commit', 'job.after-commit'])(
    'whose process ends at %s has had its effect once in the end',
    async (point) => {
      const job = everyJob('10 minutes', 'count', write)
      // What stands still for ever is what a process that was killed looks like from outside.
      let stands = 0
      watchCrashPoints((reached) => {
        if (reached === point && stands++ === 0) throw new StandsStillError()
      })
      const start = clock.now()
      await replica([job], { runner: 'a' })
      await pass(10 * minute)
      await until(() => stands > 0)
      // What could not be claimed is looked for again.
      await pass(5_000)
      await until(async () => {
        await forward('count', start + 15 * minute)
        return (await written()) === 1 && (await row('count'))['runs'] === '1'
      })
      await pass(minute)
      expect([await written(), (await row('count'))['runs']]).toEqual([1, '1'])
    },
  )
})

describe('a job of which another version of the service has another schedule', () => {
  it('keeps the one that is there as long as a replica keeps it, and has the other as soon as none does', async () => {
    const ran: string[] = []
    const jobs = [
      everyJob('1 minute', 'count', async () => void ran.push('old')),
      everyJob('50 seconds', 'count', async () => void ran.push('new')),
    ]
    const old = await replica([jobs[0] as Job], { runner: 'old' })
    await replica([jobs[1] as Job], { runner: 'new' })
    for (let n = 1; n <= 3; n++) {
      await passLooked(2, minute)
      await until(() => ran.length === n)
    }
    expect((await row('count'))['schedule']).toBe('every 1 minute')
    await old.stop()
    await passLooked(1, 20_000)
    expect((await row('count'))['schedule']).toBe('every 50 seconds')
    await passLooked(1, 50_000)
    await until(() => ran.length === 4)
    expect(ran).toEqual(['old', 'old', 'old', 'new'])
  })

  it('is left as it was by a deployment that fails', async () => {
    const start = clock.now()
    await replica([everyJob('1 hour', 'report', never)], { runner: 'old' })
    const fresh = await replica([cronJob('0 0 1 * *', 'report', never)], { runner: 'new' })
    await passLooked(2, minute)
    await fresh.stop()
    await passLooked(1, minute)
    expect(await row('report')).toMatchObject({ schedule: 'every 1 hour', tries: 0 })
    expect(Number((await row('report'))['due_at'])).toBe(start + 60 * minute)
  })

  it('takes the other one when all that kept the old one were killed, and runs no tick of that', async () => {
    const ran: number[] = []
    const start = clock.now()
    await (await replica([everyJob('20 seconds', 'count', never)])).stop()
    await lastKept(0)
    await replica([cronJob('* * * * *', 'count', async ({ tick }) => void ran.push(tick - start))])
    await passLooked(1, 30_000)
    expect((await row('count'))['schedule']).toBe('every 20 seconds')
    await passLooked(1, 10_000)
    expect((await row('count'))['schedule']).toBe('cron * * * * * UTC')
    await passLooked(1, 20_000)
    await until(() => ran.length === 1)
    expect(ran).toEqual([minute])
  })

  it('that was put off to another time runs then, though it is still being run for the earlier one', async () => {
    const gate = Promise.withResolvers<void>()
    const ran: string[] = []
    const start = clock.now()
    const earlier = async () => {
      ran.push('earlier')
      await gate.promise
    }
    const old = await replica([atJob(new Date(start + minute), 'once', earlier)], { runner: 'old' })
    await pass(minute)
    await until(() => ran.length === 1)
    const stopped = old.stop()
    await until(async () => Number((await row('once'))['seen_at']) === 0)
    await replica([atJob(new Date(start + 5 * minute), 'once', async () => void ran.push('later'))], { runner: 'new' })
    gate.resolve()
    await stopped
    expect(await row('once')).toMatchObject({ runs: '1', runner: null })
    await pass(4 * minute)
    await until(() => ran.length === 2)
    expect(ran).toEqual(['earlier', 'later'])
  })

  it('is not held up by a run for the old one that failed', async () => {
    const gate = Promise.withResolvers<void>()
    let begun = 0
    const job = everyJob('10 minutes', 'count', async () => {
      begun += 1
      await gate.promise
    })
    await replica([job], { runner: 'old' })
    await pass(10 * minute)
    await until(() => begun === 1)
    await lastKept(minute)
    await replica([everyJob('10 seconds', 'count', write)], { runner: 'new' })
    expect((await row('count'))['schedule']).toBe('every 10 seconds')
    gate.reject(new Error('the other side is away'))
    await until(async () => (await row('count'))['failures'] === '1')
    expect(await row('count')).toMatchObject({ retry_at: null, tries: 0 })
  })

  it('at one time is not run again by the version that had run it, when that comes back', async () => {
    let runs = 0
    const start = clock.now()
    const job = atJob(new Date(start + minute), 'once', async () => void (runs += 1))
    const old = await replica([job])
    await pass(minute)
    await until(async () => (await row('once'))['runs'] === '1')
    await old.stop()
    await (await replica([atJob(new Date(start + 60 * minute), 'once', never)])).stop()
    expect(Number((await row('once'))['due_at'])).toBe(start + 60 * minute)
    await replica([job])
    expect((await row('once'))['due_at']).toBeNull()
    await pass(minute)
    expect(runs).toBe(1)
  })
})

describe('a clock that is put back', () => {
  const hourMs = 60 * minute
  const putBack = () => clock.jump(-3 * hourMs)

  it('does not hold up a job of an interval, and no tick comes twice', async () => {
    const keys: string[] = []
    const job = everyJob('10 minutes', 'count', async ({ key }) => void keys.push(key))
    await replica([job])
    for (let n = 1; n <= 6; n++) {
      await passSettled('count', 10 * minute)
      expect(keys).toHaveLength(n)
    }
    // To a time at which the ticks were then, too.
    clock.jump(-30 * minute)
    for (let n = 7; n <= 10; n++) {
      await passSettled('count', 10.5 * minute)
      expect(keys.length).toBeGreaterThanOrEqual(n)
    }
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('does not keep alive a lease whose holder has died', async () => {
    const begun: string[] = []
    const job = everyJob('10 minutes', 'count', async () => void begun.push('b'))
    watchCrashPoints((reached) => {
      if (reached === 'job.after-claim') throw new StandsStillError()
    })
    const dead = await replica([job])
    await pass(10 * minute)
    await until(async () => (await row('count'))['runner'] === 'a')
    await dead.stop()
    watchCrashPoints(undefined)
    putBack()
    await replica([job], { runner: 'b' })
    await pass(11 * minute)
    await until(() => begun.length > 0)
    expect(Number((await row('count'))['fence'])).toBeGreaterThanOrEqual(2)
  })

  it('does not put off the next try of a tick that failed, which stays the same tick', async () => {
    const keys: string[] = []
    const job = everyJob('1 hour', 'count', async ({ key }) => {
      keys.push(key)
      if (keys.length < 3) throw new Error('not yet')
    })
    await replica([job])
    await pass(hourMs)
    await until(async () => (await row('count'))['failures'] === '1')
    putBack()
    await until(async () => {
      await pass(5_000)
      return keys.length === 3
    })
    expect(new Set(keys).size).toBe(1)
  })

  it('shortens the lease of a run that goes on to what it may be, and takes it from nobody', async () => {
    const gate = Promise.withResolvers<void>()
    let begun = 0
    const job = everyJob('1 hour', 'long', async (args) => {
      begun += 1
      await gate.promise
      await write(args)
    })
    try {
      await replica([job])
      await clock.advance(hourMs)
      await until(() => begun === 1)
      clock.jump(-hourMs)
      await replica([job], { runner: 'b' })
      await until(async () => Number((await row('long'))['lease_until']) <= clock.now() + 30_000)
      expect([begun, (await row('long'))['runner']]).toEqual([1, 'a'])
    } finally {
      gate.resolve()
    }
    await until(async () => (await written()) === 1)
  })

  it('changes no time of the calendar', async () => {
    const ran: string[] = []
    const jobs = [
      cronJob('0 * * * *', 'hourly', async () => void ran.push('hourly')),
      atJob(new Date(clock.now() + 2 * hourMs), 'once', async () => void ran.push('once')),
    ]
    const start = clock.now()
    await replica(jobs)
    await clock.advance(hourMs)
    await until(() => ran.length === 1)
    await until(async () => Number((await row('hourly'))['due_at']) === start + 2 * hourMs)
    putBack()
    await pass(5 * minute)
    expect([ran, Number((await row('hourly'))['due_at'])]).toEqual([['hourly'], start + 2 * hourMs])
    expect(Number((await row('once'))['due_at'])).toBe(start + 2 * hourMs)
  })

  it('is not what another version of the service has written, with a longer interval', async () => {
    await replica([everyJob('1 hour', 'count', write as never)])
    await replica([everyJob('1 minute', 'count', write as never)], { runner: 'new' })
    const due = clock.now() + hourMs
    await passLooked(2, minute)
    expect((await row('count'))['due_at']?.valueOf()).toBe(due)
  })

  it('does not keep a schedule that nobody keeps any more', async () => {
    await (await replica([everyJob('1 hour', 'count', write as never)])).stop()
    await lastKept(0)
    putBack()
    await replica([everyJob('1 minute', 'count', write as never)], { runner: 'new' })
    expect((await row('count'))['due_at']?.valueOf()).toBe(clock.now() + minute)
  })
})

class StandsStillError extends Error {}

const never = async () => {
  throw new Error('it is not to be run')
}

/** As if whoever kept the schedules had said so then for the last time. */
async function lastKept(agoMs: number): Promise<void> {
  await statement(`update trestle.jobs set seen_at = '${new Date(clock.now() - agoMs).toISOString()}'`)
}

/** As if the lease had run out. */
async function takeAway(): Promise<void> {
  await statement(`update trestle.jobs set lease_until = '${new Date(clock.now()).toISOString()}'`)
}

/** As if the disk of the database were full, which lets it read. */
async function readOnly(during: () => Promise<void>): Promise<void> {
  await statement(`create function full_disk() returns trigger language plpgsql as $$ begin raise disk_full; end $$`)
  await statement('create trigger full_disk before insert or update on trestle.jobs execute function full_disk()')
  await during()
  await statement('drop trigger full_disk on trestle.jobs')
}

async function statement(text: string): Promise<void> {
  await store.transaction(({ db }) => sql.raw(text).execute(db))
}

import { describe, expect, it } from 'vitest'
import { virtualClock } from '../testing/virtual-clock.ts'
import type { ChildExit, ChildSpec, SupervisorEvent } from './child-spec.ts'
import type { SupervisionDeps } from './supervised-child.ts'
import { createSupervisor } from './supervisor.ts'

/** A child that lives in memory: it ends when the test says so. */
function fakeChild(
  id: string,
  journal: string[],
  options: Partial<ChildSpec> & { deaf?: boolean; failStarts?: number } = {},
) {
  let end: ((exit: ChildExit) => void) | undefined
  let failures = options.failStarts ?? 0
  let starts = 0
  const spec: ChildSpec = {
    id,
    restart: options.restart ?? 'permanent',
    shutdownMs: options.shutdownMs ?? 1_000,
    start: async () => {
      starts++
      journal.push(`start ${id}`)
      if (failures-- > 0) throw new Error(`${id} cannot start`)
      const exited = new Promise<ChildExit>((resolve) => {
        end = resolve
      })
      return {
        pid: 100 + starts,
        exited,
        stop: () => {
          journal.push(`stop ${id}`)
          if (options.deaf !== true) end?.({ normal: true, reason: 'asked to stop' })
        },
        kill: (reason) => {
          journal.push(`kill ${id}`)
          end?.({ normal: false, reason: reason ?? 'killed' })
        },
      }
    },
  }
  return {
    spec,
    starts: () => starts,
    crash: (reason = 'boom') => end?.({ normal: false, reason }),
    leave: () => end?.({ normal: true, reason: 'done' }),
  }
}

function setUp(deps: Partial<SupervisionDeps> = {}) {
  const clock = virtualClock()
  const events: SupervisorEvent[] = []
  const journal: string[] = []
  const supervisor = createSupervisor({
    clock,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
    limits: { restartsMax: 3, periodMs: 10_000 },
    backoffBaseMs: 100,
    backoffMaxMs: 1_000,
    ...deps,
  })
  return { clock, events, journal, supervisor }
}

describe('a supervisor', () => {
  it('starts in order and stops in reverse', async () => {
    const { supervisor, journal } = setUp()
    const children = ['a', 'b', 'c'].map((id) => fakeChild(id, journal))
    await supervisor.addInOrder(children.map((child) => child.spec))
    await supervisor.stopAll()
    expect(journal).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
    expect(supervisor.statuses()).toEqual([])
  })

  it('undoes half a start in reverse and says why', async () => {
    const { supervisor, journal } = setUp()
    const children = [fakeChild('a', journal), fakeChild('b', journal), fakeChild('c', journal, { failStarts: 1 })]
    await expect(supervisor.addInOrder(children.map((child) => child.spec))).rejects.toThrow('c cannot start')
    expect(journal).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a'])
    expect(supervisor.statuses()).toEqual([])
  })

  it('starts a crashed child again after a wait with jitter, and counts it', async () => {
    const { supervisor, clock, events, journal } = setUp()
    const child = fakeChild('a', journal)
    await supervisor.add(child.spec)
    child.crash()
    await clock.advance(49)
    expect(supervisor.status('a')).toMatchObject({ state: 'waiting', reason: 'boom', restarts: 0 })
    await clock.advance(1)
    expect(supervisor.status('a')).toMatchObject({ state: 'running', restarts: 1, pid: 102 })
    expect(events).toContainEqual({ kind: 'restarting', id: 'a', reason: 'boom', waitMs: 50 })
  })

  it('waits longer after each crash, up to the limit', async () => {
    const { supervisor, clock, events, journal } = setUp({ limits: { restartsMax: 8, periodMs: 1e9 } })
    const child = fakeChild('a', journal)
    await supervisor.add(child.spec)
    for (let crash = 0; crash < 6; crash++) {
      child.crash()
      await clock.advance(1_000)
    }
    const waits = events.flatMap((event) => (event.kind === 'restarting' ? [event.waitMs] : []))
    expect(waits).toEqual([50, 100, 200, 400, 500, 500])
  })

  it('gives up beyond the intensity, says so, and starts again by hand', async () => {
    const { supervisor, clock, events, journal } = setUp()
    const child = fakeChild('a', journal)
    await supervisor.add(child.spec)
    for (let crash = 0; crash < 4; crash++) {
      child.crash(`crash ${crash}`)
      await clock.advance(1_000)
    }
    expect(supervisor.status('a')).toMatchObject({ state: 'failed', reason: 'crash 3', restarts: 3 })
    expect(events.at(-1)).toEqual({ kind: 'gave_up', id: 'a', reason: 'crash 3', restarts: 3 })
    await clock.advance(100_000)
    expect(child.starts()).toBe(4)
    await supervisor.start('a')
    expect(supervisor.status('a')?.state).toBe('running')
  })

  it('goes on for ever with crashes that are rare enough', async () => {
    const { supervisor, clock, journal } = setUp()
    const child = fakeChild('a', journal)
    await supervisor.add(child.spec)
    for (let crash = 0; crash < 20; crash++) {
      child.crash()
      await clock.advance(4_000)
    }
    expect(supervisor.status('a')).toMatchObject({ state: 'running', restarts: 20 })
  })

  it('counts a restart that does not come up as a crash', async () => {
    const { supervisor, clock, journal } = setUp()
    const child = fakeChild('a', journal)
    let broken = false
    const spec: ChildSpec = {
      ...child.spec,
      start: (signal) => (broken ? Promise.reject(new Error('still broken')) : child.spec.start(signal)),
    }
    await supervisor.add(spec)
    broken = true
    child.crash()
    await clock.advance(5_000)
    expect(supervisor.status('a')).toMatchObject({ state: 'failed', reason: 'still broken', restarts: 3 })
  })

  it('leaves a transient child alone that went by itself, and a temporary one in any case', async () => {
    const { supervisor, clock, journal } = setUp()
    const transient = fakeChild('a', journal, { restart: 'transient' })
    const temporary = fakeChild('b', journal, { restart: 'temporary' })
    await supervisor.addInOrder([transient.spec, temporary.spec])
    transient.leave()
    temporary.crash()
    await clock.advance(60_000)
    expect(supervisor.statuses().map((status) => status.state)).toEqual(['stopped', 'stopped'])
    await supervisor.start('a')
    transient.crash()
    await clock.advance(60_000)
    expect(supervisor.status('a')?.state).toBe('running')
  })

  it('kills what does not stop in time', async () => {
    const { supervisor, clock, events, journal } = setUp()
    await supervisor.add(fakeChild('a', journal, { deaf: true, shutdownMs: 2_000 }).spec)
    const stopped = supervisor.stop('a')
    await clock.advance(1_999)
    expect(journal).toEqual(['start a', 'stop a'])
    await clock.advance(1)
    await stopped
    expect(journal.at(-1)).toBe('kill a')
    expect(events).toContainEqual({ kind: 'killed', id: 'a', reason: 'did not stop within 2000 ms' })
    expect(clock.pending()).toBe(0)
  })

  it('stops a child that waits for its restart, and one that is starting', async () => {
    const { supervisor, clock, journal } = setUp()
    const child = fakeChild('a', journal)
    await supervisor.add(child.spec)
    child.crash()
    await clock.advance(1)
    await supervisor.stop('a')
    await clock.advance(60_000)
    expect(child.starts()).toBe(1)

    let aborted = false
    const slow: ChildSpec = {
      id: 'slow',
      restart: 'permanent',
      shutdownMs: 1_000,
      start: (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true
            reject(new Error('aborted'))
          }),
        ),
    }
    const adding = supervisor.add(slow).catch((error: Error) => error.message)
    await supervisor.remove('slow')
    expect(await adding).toBe('aborted')
    expect(aborted).toBe(true)
  })

  it('ends a child by hand, with the reason, and brings it back', async () => {
    const { supervisor, clock, events, journal } = setUp()
    await supervisor.add(fakeChild('a', journal).spec)
    supervisor.kill('a', 'did not answer for 10 s')
    await clock.advance(1_000)
    expect(events.map((event) => event.kind)).toEqual(['started', 'killed', 'exited', 'restarting', 'started'])
    expect(supervisor.status('a')?.reason).toBe('did not answer for 10 s')
  })

  it('refuses a second child of the same id', async () => {
    const { supervisor, journal } = setUp()
    await supervisor.add(fakeChild('a', journal).spec)
    await expect(supervisor.add(fakeChild('a', journal).spec)).rejects.toThrow("a child 'a' already")
    expect(supervisor.statuses()).toHaveLength(1)
  })
})

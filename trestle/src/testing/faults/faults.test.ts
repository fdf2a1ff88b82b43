import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { type FaultControl, faultControl } from './fault-control.ts'
import { changedSource } from './source-change.ts'

const program = fileURLToPath(new URL('./fixtures/process-under-test.ts', import.meta.url))

interface Seen {
  readonly pass: number
  readonly price: number
  readonly now: number
  readonly made: number
  readonly held: unknown
  readonly isDate: boolean
}

const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0).toReversed()) close()
})

function newControl(): FaultControl {
  const directory = mkdtempSync(join(tmpdir(), 'trestle-faults-'))
  opened.push(() => rmSync(directory, { recursive: true, force: true }))
  return faultControl({ directory, seed: 1 })
}

function start(control: FaultControl): ChildProcess {
  const child = fork(program, [], { env: { ...process.env, ...control.env() }, execArgv: [], silent: true })
  opened.push(() => child.kill('SIGKILL'))
  return child
}

/** The first thing that it says for which `wanted` holds. */
function said(child: ChildProcess, wanted: (seen: Seen) => boolean = () => true): Promise<Seen> {
  return new Promise((resolve, reject) => {
    child.on('message', (seen: Seen) => {
      if (wanted(seen)) resolve(seen)
    })
    child.once('exit', (code, signal) => reject(new Error(`ended with ${code ?? signal}`)))
  })
}

describe('a crash point', () => {
  it('ends the process at the hit that was said, and says so before', async () => {
    const control = newControl()
    control.arm({ id: 'a', point: 'outbox.before-insert', hit: 4, act: 'kill' })
    const child = start(control)
    const passes: number[] = []
    child.on('message', ({ pass }: Seen) => passes.push(pass))
    const [, signal] = (await once(child, 'exit')) as [number | null, string]
    expect(signal).toBe('SIGKILL')
    expect(Math.max(...passes)).toBe(3)
    expect(control.fired()).toMatchObject([{ id: 'a', point: 'outbox.before-insert', pid: child.pid }])
    expect(control.hits()).toEqual({ 'outbox.before-insert': 4 })
  })

  it('ends one process of several, and only once', async () => {
    const control = newControl()
    const children = [start(control), start(control)]
    await Promise.all(children.map((child) => said(child)))
    control.arm({ id: 'b', point: 'outbox.before-insert', hit: 1, act: 'kill' })
    await Promise.race(children.map((child) => once(child, 'exit')))
    const alive = children.filter(({ signalCode }) => signalCode === null)
    expect(alive.length).toBe(1)
    const started = start(control)
    await said(started, ({ pass }) => pass > 20)
    expect(control.fired().length).toBe(1)
  })

  it('may halt the process in place of ending it', async () => {
    const control = newControl()
    const child = start(control)
    await said(child)
    control.arm({ id: 'c', point: 'outbox.before-insert', hit: 1, act: 'halt' })
    await until(() => control.fired().length === 1)
    expect(child.signalCode).toBeNull()
    // It may say so a moment before it halts: one signal could come too early.
    const goOn = setInterval(() => child.kill('SIGCONT'), 20)
    opened.push(() => clearInterval(goOn))
    const { pass } = await said(child)
    await said(child, (seen) => seen.pass > pass + 3)
  })

  it('does not fire when it was disarmed', async () => {
    const control = newControl()
    control.arm({ id: 'd', point: 'outbox.before-insert', hit: 1, act: 'kill' })
    control.disarm()
    await said(start(control), ({ pass }) => pass > 10)
    expect(control.fired()).toEqual([])
  })
})

describe('a source change', () => {
  const change = { name: 'free', file: 'faults/fixtures/price.ts', find: 'return 100', put: 'return 0' }

  it('is in the code that is loaded, not in the file', async () => {
    const control = newControl()
    expect((await said(start(control))).price).toBe(100)
    control.change(change)
    const after = start(control)
    expect((await said(after)).price).toBe(0)
    expect(control.changed()).toEqual(['free'])
    control.unchange('free')
    expect((await said(start(control))).price).toBe(100)
  })

  it('that cannot be made ends the process, and says why', async () => {
    const control = newControl()
    control.change({ ...change, find: 'return 99' })
    const [status] = (await once(start(control), 'exit')) as [number]
    expect(status).toBe(97)
    expect(control.unchanged()).toEqual(['free: "return 99" does not stand in faults/fixtures/price.ts'])
  })

  it('must stand exactly once in the text', () => {
    expect(changedSource('a b', [{ ...change, find: 'b', put: '$& c' }])).toBe('a $& c')
    expect(() => changedSource('b b', [{ ...change, find: 'b' }])).toThrow(/more than once/)
    expect(() => changedSource('a', [{ ...change, find: 'b' }])).toThrow(/does not stand/)
  })
})

describe('a gate', () => {
  it('does nothing, says that the fault is on, or throws, and is counted', async () => {
    const control = newControl()
    const child = start(control)
    expect((await said(child)).held).toBe(false)
    control.gate('late commit', { probability: 1 })
    await said(child, ({ held }) => held === true)
    control.gate('late commit', { probability: 1, delayMaxMs: 1 })
    await said(child, ({ held }) => held === true)
    control.gate('late commit', undefined)
    await said(child, ({ held }) => held === false)
    expect(control.gatesPassed()['late commit']).toBeGreaterThan(1)
  })
})

describe('a clock', () => {
  it('is put off for all processes or for one, timers apart', async () => {
    const control = newControl()
    const [one, other] = [start(control), start(control)]
    await Promise.all([said(one), said(other)])
    const hour = 3_600_000
    const off = ({ now, made }: Seen) => [now, made].map((each) => Math.round((each - Date.now()) / hour))
    control.shiftClock(hour)
    const seen = await said(one, (each) => off(each)[0] === 1)
    expect(off(seen)).toEqual([1, 1])
    expect(seen.isDate).toBe(true)
    control.shiftClock(-hour, other.pid as number)
    await said(other, (each) => off(each)[0] === -1)
    expect(off(await said(one))).toEqual([1, 1])
    control.shiftClock(0)
    await Promise.all([one, other].map((child) => said(child, (each) => off(each)[0] === 0)))
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

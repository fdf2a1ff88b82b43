import { setTimeout as sleep } from 'node:timers/promises'
import { crashPoints, type FaultControl, seededDraws } from 'trestle/testing'
import { gatedFaults, soonThere } from './changes.ts'
import { type Fault, until } from './fault.ts'
import { provocations } from './inject/provoke.ts'
import { type PlannedCrash, planFor } from './plan.ts'
import { type LoadedReport, runLoaded } from './run-loaded.ts'
import type { Stage, Template, TopologyName } from './stage.ts'
import type { World } from './world.ts'

/** One run. */
export interface RunSettings {
  readonly topology: TopologyName
  readonly seed: number
  readonly arrivalsPerSecond: number
  /** At least so long, milliseconds; longer when the faults need it. */
  readonly durationMs: number
  readonly settleWithinMs: number
  readonly say: (text: string) => void
}

/** A planned fault, and how often it fired. */
export interface FaultCount {
  readonly name: string
  readonly of: readonly number[]
  readonly fired: number
  /** Why it did not fire, when that is known. */
  readonly reason?: string
}

/** What a run has come to. */
export interface RunReport extends LoadedReport<readonly FaultCount[]> {
  readonly topology: TopologyName
  readonly seed: number
  readonly tookMs: number
}

/** Between two faults the system works: until so many more orders were taken, and at most so long. */
const ordersBetween = 2
const calmMaxMs = 12_000
/** A crash point may be passed seldom: then it stays armed while the run goes on. */
const crashWithinMs = 2_500
const provocationsMax = 4
const lastCrashesMs = 15_000

/** One run: start, load, faults, heal, check. */
export async function runSeed(template: Template, settings: RunSettings): Promise<RunReport> {
  const { topology, seed } = settings
  const began = performance.now()
  const changes = [...gatedFaults.map(({ change }) => change), ...soonThere]
  const report = await runLoaded(template, { ...settings, changes }, (stage, world) =>
    injectAll(stage, world, settings),
  )
  const redriven = { name: 'parked keys are redriven', of: [13], fired: report.redriven }
  const reached = [...report.reached, redriven]
  return { ...report, reached, topology, seed, tookMs: Math.round(performance.now() - began) }
}

async function injectAll(stage: Stage, world: World, settings: RunSettings): Promise<readonly FaultCount[]> {
  const { topology, seed, durationMs, say } = settings
  const { control } = stage
  const draws = seededDraws(seed).fork('plan')
  const enough = sleep(durationMs)
  await calm(world)
  const counts: FaultCount[] = []
  for (const { name, gate } of gatedFaults) control.gate(name, gate)
  const crashes: PlannedCrash[] = []
  for (const planned of planFor(topology, seed, Object.keys(crashPoints), draws)) {
    if ('point' in planned) {
      crashes.push(planned)
      controlOf(stage, planned).arm(planned)
      await crashed(stage, planned)
    } else {
      say(planned.name)
      counts.push(await injected(planned, stage, draws.fork(planned.name)))
    }
    await calm(world)
  }
  await enough
  const fired = () => new Set([...control.fired(), ...stage.paymentsControl.fired()].map(({ id }) => id))
  await until('all crashes', () => fired().size === crashes.length, lastCrashesMs).catch(() => {})
  control.disarm()
  stage.paymentsControl.disarm()
  for (const { name } of gatedFaults) control.gate(name, undefined)
  const passed = control.gatesPassed()
  const ended = fired()
  return [
    ...counts,
    ...gatedFaults.map(({ name, of }) => ({ name, of, fired: passed[name] ?? 0 })),
    ...crashes.map(({ id, point, system }) => ({
      name: `crash at ${point}${system === 'store' ? '' : ' in the payment system'}`,
      of: [],
      fired: ended.has(id) ? 1 : 0,
    })),
  ]
}

/** Waits until a crash point has ended a process, and does what brings it about where visitors seldom do. */
async function crashed(stage: Stage, planned: PlannedCrash): Promise<void> {
  const fired = () =>
    controlOf(stage, planned)
      .fired()
      .some((each) => each.id === planned.id)
  const provoke = planned.system === 'store' ? provocations[planned.point] : undefined
  const tries = provoke === undefined ? 1 : provocationsMax
  for (let attempt = 0; attempt < tries && !fired(); attempt += 1) {
    // It ends the process that is asked: that is what it is for.
    await provoke?.(stage).catch(() => {})
    await until('a crash', fired, crashWithinMs).catch(() => {})
  }
}

function controlOf({ control, paymentsControl }: Stage, { system }: PlannedCrash): FaultControl {
  return system === 'store' ? control : paymentsControl
}

/** Lets the system work: until some more orders were taken, or for so long. */
async function calm(world: World): Promise<void> {
  const before = world.ordersPlaced
  await until('an order', () => world.ordersPlaced >= before + ordersBetween, calmMaxMs).catch(() => {})
}

type Draws = ReturnType<typeof seededDraws>

/** Puts a fault in; once more where what it asks was not there, because the fault before has ended it. */
async function injected(fault: Fault, stage: Stage, draws: Draws, isFirst = true): Promise<FaultCount> {
  const { name, of } = fault
  try {
    return { name, of, fired: await fault.inject(stage, draws) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (!isFirst || !reason.includes('ECONNREFUSED')) return { name, of, fired: 0, reason }
    await Promise.all([stage.store.ensure(), stage.payments.ensure()])
    return await injected(fault, stage, draws, false)
  }
}

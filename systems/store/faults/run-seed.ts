import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { crashPoints } from 'trestle/testing'
import {
  type InvariantReport,
  type LoadReport,
  operationLog,
  runLoad,
  seededDraws,
  startChecker,
} from 'trestle/testing'
import { takeCare } from './caretaker.ts'
import { gatedFaults } from './changes.ts'
import type { CheckSettings } from './check-settings.ts'
import { type Fault, until } from './fault.ts'
import { type PlannedCrash, planFor } from './plan.ts'
import { openStage, type Stage, type Template, type TopologyName } from './stage.ts'
import { storeOperations } from './load/store-operations.ts'
import { storeView } from './view.ts'
import { World } from './world.ts'

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

export interface RunReport {
  readonly topology: TopologyName
  readonly seed: number
  readonly faults: readonly FaultCount[]
  readonly load: LoadReport
  readonly invariants: InvariantReport
  readonly tookMs: number
  readonly givenUp: readonly string[]
  /** How many orders ended how. */
  readonly orders: Readonly<Record<string, number>>
}

const settlePaidMs = 30_000
const checkerProgram = fileURLToPath(new URL('./invariants-main.ts', import.meta.url))
const loadMaxMs = 180_000
/** Between two faults the system works: until so many more orders were taken, and at most so long. */
const ordersBetween = 2
const calmMaxMs = 12_000
/** A crash point may be passed seldom: then it stays armed while the run goes on. */
const crashWithinMs = 2_500
const lastCrashesMs = 5_000
/** Longer than a buyer has to approve a payment. */
const laterMs = 35 * 60_000

/** One run: start, load, faults, heal, check. */
export async function runSeed(template: Template, settings: RunSettings): Promise<RunReport> {
  const { topology, seed, say } = settings
  const began = performance.now()
  await using stage = await openStage(template, topology, seed, ({ control }) => {
    control.change(...gatedFaults.map(({ change }) => change))
  })
  if (topology === 'split') await stage.store.operator.scale('orders', 2)
  const world = new World(template.buyers, template.goods)
  const log = join(stage.directory, 'operations.jsonl')
  const writer = operationLog(log)
  const checkFile = join(stage.directory, 'check.json')
  const check: CheckSettings = {
    storeDataDir: stage.store.settings.dataDir,
    paymentsDataDir: stage.payments.settings.dataDir,
    paymentsUrl: stage.payments.url,
    log,
    buyers: world.buyers,
    goods: world.goods,
    settleWithinMs: settings.settleWithinMs,
  }
  await writeFile(checkFile, JSON.stringify(check))
  const checker = startChecker(checkerProgram, [checkFile], process.env)
  const care = takeCare([stage.store, stage.payments], [stage.control, stage.paymentsControl])
  const faultsDone = Promise.withResolvers<void>()
  const load = runLoad({
    seed,
    arrivalsPerSecond: settings.arrivalsPerSecond,
    durationMs: loadMaxMs,
    until: faultsDone.promise,
    operations: storeOperations({ store: stage.store.url, payments: stage.payments.url }, world),
    log: writer,
  })
  try {
    const counts = await Promise.race([injectAll(stage, world, settings), care.broken])
    faultsDone.resolve()
    say('healing')
    const loaded = await Promise.race([load, care.broken])
    await Promise.all([stage.store.ensure(), stage.payments.ensure()])
    await settled(stage, world)
    // Whoever has not approved by now never will: let the time for it be over.
    stage.control.shiftClock(laterMs)
    stage.paymentsControl.shiftClock(laterMs)
    const invariants = await checker.healed()
    await care.stop()
    return {
      topology,
      seed,
      faults: counts,
      load: loaded,
      invariants,
      tookMs: Math.round(performance.now() - began),
      givenUp: care.givenUp(),
      orders: counted((await storeView(stage.store.settings.dataDir).allOrders()).map(({ status }) => status)),
    }
  } finally {
    faultsDone.resolve()
    await care.stop()
    checker.kill()
    writer.close()
  }
}

/** Orders that were approved come to their end first: who has approved in time must not be told that it was too late. */
async function settled({ store, payments }: Stage, { approved }: World): Promise<void> {
  await payments.operator.call('switches', 'reset', {}).catch(() => {})
  const end = performance.now() + settlePaidMs
  while (performance.now() < end) {
    const all = await storeView(store.settings.dataDir)
      .allOrders()
      .catch(() => undefined)
    if (all?.every(({ id, status }) => status !== 'pending' || !approved.has(id)) === true) return
    await sleep(300)
  }
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
      control.arm(planned)
      await until('a crash', () => control.fired().some(({ id }) => id === planned.id), crashWithinMs).catch(() => {})
    } else {
      say(planned.name)
      counts.push(await injected(planned, stage, draws.fork(planned.name)))
    }
    await calm(world)
  }
  await enough
  await until('all crashes', () => control.fired().length === crashes.length, lastCrashesMs).catch(() => {})
  control.disarm()
  for (const { name } of gatedFaults) control.gate(name, undefined)
  const passed = control.gatesPassed()
  const fired = new Set(control.fired().map(({ id }) => id))
  return [
    ...counts,
    ...gatedFaults.map(({ name, of }) => ({ name, of, fired: passed[name] ?? 0 })),
    ...crashes.map(({ id, point }) => ({ name: `crash at ${point}`, of: [], fired: fired.has(id) ? 1 : 0 })),
  ]
}

/** Lets the system work: until some more orders were taken, or for so long. */
async function calm(world: World): Promise<void> {
  const before = world.ordersPlaced
  await until('an order', () => world.ordersPlaced >= before + ordersBetween, calmMaxMs).catch(() => {})
}

async function injected(fault: Fault, stage: Stage, draws: ReturnType<typeof seededDraws>): Promise<FaultCount> {
  const { name, of } = fault
  try {
    return { name, of, fired: await fault.inject(stage, draws) }
  } catch (error) {
    return { name, of, fired: 0, reason: error instanceof Error ? error.message : String(error) }
  }
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, those]) => [name, those.length]))
}

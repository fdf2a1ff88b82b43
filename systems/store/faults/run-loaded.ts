import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type InvariantReport,
  type LoadReport,
  operationLog,
  runLoad,
  type SourceChange,
  startChecker,
} from 'trestle/testing'
import { takeCare } from './caretaker.ts'
import type { CheckSettings } from './check-settings.ts'
import { until } from './fault.ts'
import { storeOperations } from './load/store-operations.ts'
import { redrive } from './redrive.ts'
import { openStage, type Stage, type Template, type TopologyName } from './stage.ts'
import { storeView } from './view.ts'
import { World } from './world.ts'

/** How a run is loaded and checked. */
export interface LoadedSettings {
  readonly topology: TopologyName
  readonly seed: number
  readonly arrivalsPerSecond: number
  readonly settleWithinMs: number
  /** How long approved orders may take to be paid before the clock goes on. */
  readonly paidWithinMs?: number
  /** Of the code of the store, from its start on. */
  readonly changes: readonly SourceChange[]
  readonly say: (text: string) => void
}

/** What a loaded run has come to. */
export interface LoadedReport<T> {
  readonly load: LoadReport
  readonly invariants: InvariantReport
  /** How many orders ended how. */
  readonly orders: Readonly<Record<string, number>>
  /** Services that their supervisor gave up, and that were started by hand. */
  readonly givenUp: readonly string[]
  /** Keys that were parked, and tried again when all was well. */
  readonly redriven: number
  /** What `meanwhile` resolved with. */
  readonly reached: T
}

const checkerProgram = fileURLToPath(new URL('./invariants-main.ts', import.meta.url))
const loadMaxMs = 240_000
const paidWithinDefaultMs = 30_000
/** Longer than a buyer has to approve a payment, also when the half hour began while the clock was an hour ahead. */
const laterMs = 95 * 60_000

/** Starts everything, lets visitors come while `meanwhile` does its worst, heals, and checks. */
export async function runLoaded<T>(
  template: Template,
  settings: LoadedSettings,
  meanwhile: (stage: Stage, world: World) => Promise<T>,
): Promise<LoadedReport<T>> {
  const { topology, seed, say } = settings
  await using stage = await openStage(template, topology, seed, ({ control }) => control.change(...settings.changes))
  if (topology === 'split') await stage.store.operator.scale('orders', 2)
  const world = new World(template.buyers, template.goods)
  const log = join(stage.directory, 'operations.jsonl')
  const writer = operationLog(log)
  const checker = startChecker(checkerProgram, [await checkFile(stage, world, log, settings)], process.env)
  const care = takeCare([stage.store, stage.payments], [stage.control, stage.paymentsControl])
  const over = Promise.withResolvers<void>()
  const load = runLoad({
    seed,
    arrivalsPerSecond: settings.arrivalsPerSecond,
    durationMs: loadMaxMs,
    until: over.promise,
    operations: storeOperations({ store: stage.store.url, payments: stage.payments.url }, world),
    log: writer,
  })
  try {
    const reached = await Promise.race([meanwhile(stage, world), care.broken])
    over.resolve()
    say('healing')
    const loaded = await Promise.race([load, care.broken])
    await Promise.all([stage.store.ensure(), stage.payments.ensure()])
    const redriven = await redrive(stage.store.operator)
    await paid(stage, world, settings.paidWithinMs ?? paidWithinDefaultMs)
    // Whoever has not approved by now never will: let the time for it be over.
    stage.control.shiftClock(laterMs)
    stage.paymentsControl.shiftClock(laterMs)
    const invariants = await checker.healed()
    const all = await storeView(stage.store.settings.dataDir).allOrders()
    const orders = counted(all.map(({ status }) => status))
    return { load: loaded, invariants, orders, givenUp: care.givenUp(), redriven, reached }
  } finally {
    over.resolve()
    await care.stop()
    checker.kill()
    writer.close()
  }
}

async function checkFile(stage: Stage, world: World, log: string, { settleWithinMs }: LoadedSettings): Promise<string> {
  const file = join(stage.directory, 'check.json')
  const settings: CheckSettings = {
    storeDataDir: stage.store.settings.dataDir,
    paymentsDataDir: stage.payments.settings.dataDir,
    paymentsUrl: stage.payments.url,
    log,
    buyers: world.buyers,
    goods: world.goods,
    settleWithinMs,
  }
  await writeFile(file, JSON.stringify(settings))
  return file
}

/** Approved orders come to their end first: who has approved in time must not be told that it was too late. */
async function paid({ store, payments }: Stage, { approved }: World, withinMs: number): Promise<void> {
  await payments.operator.call('switches', 'reset', {}).catch(() => {})
  const view = storeView(store.settings.dataDir)
  const allPaid = async () => {
    const all = await view.allOrders().catch(() => undefined)
    return all?.every(({ id, status }) => status !== 'pending' || !approved.has(id)) === true
  }
  await until('the end of approved orders', allPaid, withinMs).catch(() => {})
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, those]) => [name, those.length]))
}

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Arm, type Control, directoryVariable, type Gate, readControl, writeControl } from './control.ts'
import type { Fired } from './in-process/crash-watcher.ts'
import type { SourceChange } from './source-change.ts'

/** What a driver does to the processes under test from within them, and what it hears of it. */
export interface FaultControl {
  /** The environment of a process under test, and through it of its children. */
  env(): Readonly<Record<string, string>>
  /** Ends or halts the first process that comes to the point so often from now on. */
  arm(arm: Arm): void
  /** Takes arms back that have not fired. */
  disarm(): void
  /** What becomes of code that passes a gate; `undefined` closes it. */
  gate(name: string, gate: Gate | undefined): void
  /** Of code that is loaded from now on: by processes that start later. */
  change(...changes: readonly SourceChange[]): void
  /** Without the named ones, for processes that start later. */
  unchange(...names: readonly string[]): void
  /** Puts wall clocks off, of all processes or of one. */
  shiftClock(offsetMs: number, pid?: number): void
  /** Arms that fired. */
  fired(): readonly Fired[]
  /** How often each crash point was passed, over all processes. */
  hits(): Readonly<Record<string, number>>
  /** How often the fault of each gate happened. */
  gatesPassed(): Readonly<Record<string, number>>
  /** Changes that some process has loaded. */
  changed(): readonly string[]
  /** Why changes could not be made. */
  unchanged(): readonly string[]
}

const preload = new URL(import.meta.url.endsWith('.ts') ? './preload.ts' : './preload.js', import.meta.url)

/**
 * Makes the directory through which a driver and the processes under test talk.
 * @example const faults = faultControl({ directory, seed: 7 })
 *   spawn(process.execPath, [...], { env: { ...process.env, ...faults.env() } })
 *   faults.arm({ id: '1', point: 'outbox.before-insert', hit: 3, act: 'kill' })
 */
export function faultControl({ directory, seed }: { readonly directory: string; readonly seed: number }): FaultControl {
  mkdirSync(directory, { recursive: true })
  writeControl(directory, { seed, arms: [], gates: {}, changes: [], clock: { offsetMs: 0, byPid: {} } })
  const update = (change: (before: Control) => Partial<Control>) => {
    const before = readControl(directory)
    writeControl(directory, { ...before, ...change(before) })
  }
  return {
    env: () => ({
      [directoryVariable]: directory,
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${preload.href}`.trim(),
    }),
    arm: (arm) => update(({ arms }) => ({ arms: [...arms, arm] })),
    disarm: () => update(() => ({ arms: [] })),
    gate: (name, gate) =>
      update(({ gates }) => ({
        gates: Object.fromEntries(
          [...Object.entries(gates).filter(([each]) => each !== name), [name, gate] as const].filter(
            (entry): entry is [string, Gate] => entry[1] !== undefined,
          ),
        ),
      })),
    change: (...changes) => update((before) => ({ changes: [...before.changes, ...changes] })),
    unchange: (...names) =>
      update((before) => ({ changes: before.changes.filter(({ name }) => !names.includes(name)) })),
    shiftClock: (offsetMs, pid) =>
      update(({ clock }) => ({
        clock: pid === undefined ? { offsetMs, byPid: {} } : { ...clock, byPid: { ...clock.byPid, [pid]: offsetMs } },
      })),
    fired: () => whole<Fired>(join(directory, 'fired')),
    hits: () => sumOf(whole<Record<string, number>>(join(directory, 'hits')).flatMap(Object.entries<number>)),
    gatesPassed: () => {
      const file = join(directory, 'gates.txt')
      const names = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
      return sumOf(names.filter((name) => name !== '').map((name) => [name, 1] as const))
    },
    changed: () => filesIn(join(directory, 'changed')).map(({ name }) => decodeURIComponent(name)),
    unchanged: () => filesIn(join(directory, 'unchanged')).map(({ text }) => text),
  }
}

function sumOf(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of counts) sums[name] = (sums[name] ?? 0) + count
  return sums
}

/** Values of a folder's files. One that is being written while we look is left for the next time. */
function whole<T>(folder: string): readonly T[] {
  return filesIn(folder).flatMap(({ text }) => {
    try {
      return [JSON.parse(text) as T]
    } catch {
      return []
    }
  })
}

function filesIn(folder: string): readonly { readonly name: string; readonly text: string }[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
}

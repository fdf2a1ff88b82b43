import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SourceChange } from './source-change.ts'

// What a driver tells the processes under test, and what they say to it, are files of one directory: they outlive every
// process, and a process that kills itself has said so before.

/** The environment variable that names the directory. */
export const directoryVariable = 'TRESTLE_FAULTS_DIR'

/** Ends, or halts, the process that comes to a crash point for the `hit`th time after it was told. Fires once. */
export interface Arm {
  readonly id: string
  readonly point: string
  /** Counted from 1, in each process by itself. */
  readonly hit: number
  /** `kill`: SIGKILL. `halt`: SIGSTOP; the driver lets it go on. */
  readonly act: 'kill' | 'halt'
  /** Only in this process. */
  readonly pid?: number
}

/** What a place that a source change has opened does. */
export interface Gate {
  /** 0 to 1, at each passage. */
  readonly probability: number
  /** Waits up to so long, milliseconds. */
  readonly delayMaxMs?: number
  /** Throws this. */
  readonly error?: string
}

/** All that processes are told. */
export interface Control {
  readonly seed: number
  readonly arms: readonly Arm[]
  /** By name. */
  readonly gates: Readonly<Record<string, Gate>>
  /** Of code that is loaded from now on. */
  readonly changes: readonly SourceChange[]
  /** How far the wall clock is off, milliseconds; by process id where it differs. */
  readonly clock: { readonly offsetMs: number; readonly byPid: Readonly<Record<string, number>> }
}

export const controlFile = (directory: string): string => join(directory, 'control.json')

export function readControl(directory: string): Control {
  return JSON.parse(readFileSync(controlFile(directory), 'utf8')) as Control
}

/** Nobody reads half of it. */
export function writeControl(directory: string, control: Control): void {
  const beside = `${controlFile(directory)}.new`
  writeFileSync(beside, JSON.stringify(control))
  renameSync(beside, controlFile(directory))
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { watchCrashPoints } from '../../../std/crash-points.ts'
import type { Arm, Control } from '../control.ts'

const writeHitsEveryMs = 500

/** What a process writes down before it dies. */
export interface Fired {
  readonly id: string
  readonly point: string
  readonly act: Arm['act']
  readonly pid: number
  /** Real time, milliseconds since 1970. */
  readonly at: number
}

/**
 * Watches the crash points of this process, ends or halts it where an arm says so, and counts how often each was passed.
 * Of all processes only one takes an arm: who makes its file first.
 */
export function haltAtCrashPoints(directory: string, current: () => Control): void {
  const hits = new Map<string, number>()
  const countedByArm = new Map<string, number>()
  const spent = new Set<string>()
  const realNow = Date.now
  mkdirSync(join(directory, 'hits'), { recursive: true })
  mkdirSync(join(directory, 'fired'), { recursive: true })
  const writeHits = () => {
    if (hits.size > 0) writeQuietly(join(directory, 'hits', `${process.pid}.json`), Object.fromEntries(hits))
  }
  setInterval(writeHits, writeHitsEveryMs).unref()
  process.on('exit', writeHits)
  watchCrashPoints((point) => {
    hits.set(point, (hits.get(point) ?? 0) + 1)
    for (const arm of current().arms) {
      if (arm.point !== point || spent.has(arm.id)) continue
      if (arm.pid !== undefined && arm.pid !== process.pid) continue
      const count = (countedByArm.get(arm.id) ?? 0) + 1
      countedByArm.set(arm.id, count)
      if (count < arm.hit) continue
      spent.add(arm.id)
      const fired = { id: arm.id, point, act: arm.act, pid: process.pid, at: realNow() } satisfies Fired
      if (!writeQuietly(join(directory, 'fired', `${arm.id}.json`), fired, 'wx')) continue
      writeHits()
      process.kill(process.pid, arm.act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    }
  })
}

function writeQuietly(file: string, value: unknown, flag = 'w'): boolean {
  try {
    writeFileSync(file, JSON.stringify(value), { flag })
    return true
  } catch {
    // Another process was first, or the run is over.
    return false
  }
}

/**
 * Runs first in each process under test (`node --import`): crash points, gates, source changes and a clock that is off, as
 * the driver says in the control file. Without its environment variable it does nothing.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { controlFile, directoryVariable, readControl } from './control.ts'
import { haltAtCrashPoints } from './in-process/crash-watcher.ts'
import { openGates } from './in-process/gates.ts'
import { changeSources } from './in-process/load-hook.ts'
import { shiftClock } from './in-process/shifted-clock.ts'

/** How long a process may take to hear of a change, milliseconds. */
const lookEveryMs = 100

const directory = process.env[directoryVariable]
if (directory !== undefined) {
  const file = controlFile(directory)
  let control = readControl(directory)
  const current = () => control
  changeSources(directory, control.changes)
  haltAtCrashPoints(directory, current)
  openGates(directory, current)
  shiftClock(current)
  watchFile(file, { interval: lookEveryMs, persistent: false }, () => {
    try {
      control = readControl(directory)
    } catch {
      // The run is over and its directory gone: nobody tells us anything any more.
      unwatchFile(file)
    }
  })
}

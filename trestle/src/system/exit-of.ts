import type { ChildProcess } from 'node:child_process'
import type { ChildExit } from '../supervisor/index.ts'

/**
 * Resolves when a process has gone, or could not be started; never rejects. An error of one that lives on, such as a signal
 * that could not be sent, is no exit.
 * @param why asked then: what is known of it beyond its status
 */
export function exitOf(child: ChildProcess, why: () => string | undefined): Promise<ChildExit> {
  return new Promise((resolve) => {
    let failure: string | undefined
    child.on('error', (error) => {
      failure ??= error.message
      if (child.pid === undefined) resolve({ normal: false, reason: why() ?? failure })
    })
    child.on('exit', (code, signal) => {
      const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`
      resolve({ normal: code === 0, reason: why() ?? failure ?? how })
    })
  })
}

import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Names one run of one process, so that a number used again after a crash or a restart of the machine is not taken for
 * it. `undefined`: no such process.
 */
export function processIdentity(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  return process.platform === 'linux' ? linuxIdentity(pid) : portableIdentity(pid)
}

/** Whether a process of that number exists; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  if (process.platform !== 'linux') return true
  const state = statFields(pid)?.[0]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

function linuxIdentity(pid: number): string | undefined {
  // Field 22 of proc_pid_stat(5): when the process started, in ticks since boot.
  const startedAt = statFields(pid)?.[19]
  if (startedAt === undefined) return undefined
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${boot}/${readlinkSync('/proc/self/ns/pid')}/${pid}/${startedAt}`
}

/** The fields of /proc/pid/stat after the name, which may hold spaces and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function portableIdentity(pid: number): string | undefined {
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return `${pid}/${started}`
  } catch {
    // No `ps`: the number is all there is.
    return String(pid)
  }
}

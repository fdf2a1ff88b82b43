import { readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './process-identity.ts'

/** What a running server says of itself in `postmaster.pid`. Source: PostgreSQL's documentation, "Database File Layout". */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly socketsDir: string | undefined
  readonly status: 'starting' | 'ready' | 'stopping' | 'standby'
}

/** The server that runs on `cluster`, if its process is alive and is a PostgreSQL. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  const lines = readLines(join(cluster, 'postmaster.pid'))
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid) || !serves(pid, cluster)) return undefined
  const status = lines[7]?.trim()
  return {
    pid,
    port: Number(lines[3] ?? 0),
    socketsDir: lines[4] === undefined || lines[4] === '' ? undefined : lines[4],
    status: status === 'ready' || status === 'stopping' || status === 'standby' ? status : 'starting',
  }
}

/** A number from before a crash may belong to anyone now. */
function serves(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux') return true
  if (readLines(`/proc/${pid}/comm`)[0] !== 'postgres') return false
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    // Another user's process: its name has to do.
    return true
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

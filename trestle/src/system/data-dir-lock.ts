import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './start-error.ts'

/** Says which process owns a data directory. Pids are used again, so the time at which it started belongs to it. */
interface Owner {
  readonly pid: number
  readonly started: string
}

export interface DataDirLock {
  release(): Promise<void>
}

/**
 * Takes a data directory for this process; makes it when missing. A lock whose process has gone is taken over.
 * @throws StartError `already_running` with the addresses of the one that runs
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  await mkdir(dataDir, { recursive: true })
  const file = join(dataDir, 'system.lock')
  const own: Owner = { pid: process.pid, started: startedAt(process.pid) }
  for (let tries = 0; tries < 10; tries++) {
    const taken = await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false
        throw error
      },
    )
    if (taken) return { release: () => rm(file, { force: true }) }
    const owner = await readOwner(file)
    if (owner !== undefined && isAlive(owner)) throw await alreadyRunning(dataDir, owner)
    await rm(file, { force: true })
  }
  throw new StartError('already_running', `${file} is taken again and again by others`)
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const { pid, started } = JSON.parse(await readFile(file, 'utf8')) as Partial<Owner>
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined
  } catch {
    return undefined
  }
}

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startedAt(pid) === started
}

/** When a process started, in the system's own terms; empty where that cannot be read. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

async function alreadyRunning(dataDir: string, owner: Owner): Promise<StartError> {
  const addresses = await readFile(join(dataDir, 'admin.json'), 'utf8').then(
    (text) => JSON.parse(text) as { gatewayUrl?: unknown; adminUrl?: unknown },
    () => ({ gatewayUrl: undefined, adminUrl: undefined }),
  )
  const where = [
    ...(typeof addresses.gatewayUrl === 'string' ? [`gateway ${addresses.gatewayUrl}`] : []),
    ...(typeof addresses.adminUrl === 'string' ? [`admin ${addresses.adminUrl}`] : []),
  ]
  const tail = where.length === 0 ? '' : `: ${where.join(', ')}`
  return new StartError('already_running', `a system runs on ${dataDir} already, pid ${owner.pid}${tail}`)
}

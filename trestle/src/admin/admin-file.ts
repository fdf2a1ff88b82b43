import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What `admin.json` in the data directory says about the running system. It holds the token: readable by its owner only. */
export interface AdminFile {
  readonly pid: number
  readonly system: string
  readonly topology: string
  readonly adminUrl: string
  readonly gatewayUrl: string
  readonly token: string
}

export const adminFilePath = (dataDir: string): string => join(dataDir, 'admin.json')

/** Written beside and moved, so that nobody reads half of it. */
export async function writeAdminFile(dataDir: string, content: AdminFile): Promise<void> {
  const path = adminFilePath(dataDir)
  const beside = `${path}.${process.pid}`
  await rm(beside, { force: true })
  await writeFile(beside, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(beside, path)
}

/** `undefined`: there is none, or it is not of our making. */
export async function readAdminFile(dataDir: string): Promise<AdminFile | undefined> {
  try {
    const value = JSON.parse(await readFile(adminFilePath(dataDir), 'utf8')) as Partial<AdminFile>
    const whole = typeof value.adminUrl === 'string' && typeof value.token === 'string' && typeof value.pid === 'number'
    return whole ? (value as AdminFile) : undefined
  } catch {
    return undefined
  }
}

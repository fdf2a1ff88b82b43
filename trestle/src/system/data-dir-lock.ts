import { claimDirectory, type OwnerLock } from '../store/embedded/owner-lock.ts'
import { StoreError } from '../store/store-error.ts'
import { makeDataDir } from './data-dir.ts'
import { StartError } from './start-error.ts'

/**
 * Takes a data directory for this process; makes it when missing. A lock whose process has gone is taken over.
 * @throws StartError `already_running` with the addresses of the one that runs, `data_dir_unusable`
 */
export function lockDataDir(dataDir: string, now: () => number): OwnerLock {
  makeDataDir(dataDir)
  try {
    return claimDirectory(dataDir, now)
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== 'already_running') throw cause
    throw new StartError('already_running', `a system runs already: ${cause.message}`, { cause })
  }
}

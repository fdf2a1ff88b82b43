import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf, StartError } from './start-error.ts'

/** Makes a data directory that is missing. @throws StartError `data_dir_unusable` */
export function makeDataDir(dataDir: string): void {
  try {
    makeFolder(resolve(dataDir))
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const remedy = 'mend its rights, or name another in TRESTLE_DATA_DIR'
    throw new StartError('data_dir_unusable', `${dataDir} cannot hold data: ${messageOf(cause)}; ${remedy}`, { cause })
  }
}

/** Level by level: the recursive form of mkdir never ends in places like /proc. */
function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  if (found !== undefined) throw new Error(`${folder} is a file`)
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another start made it meanwhile.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

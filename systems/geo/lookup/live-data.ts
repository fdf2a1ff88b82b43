import { type DataFiles, filesIn, installedFiles } from './data-files.ts'
import { type DataSet, openDataSet } from './data-set.ts'

/** The release that is answered from now. */
export interface LiveData {
  /** Ask once for each request, and answer all of it from that. @throws Error before the first `refresh` */
  current(): DataSet
  /**
   * Looks for another release and, when it has been read whole, puts it in the place of the one before: answers that are
   * being made keep theirs. What cannot be read changes nothing.
   * @returns the version that is new; `undefined`: the same as before
   * @throws Error when the release cannot be read
   */
  refresh(): Promise<string | undefined>
}

/** The release that `GEO_DATA` names, a folder with a `geo-data.json`; else the one that was installed. */
function chosenFiles(env: Readonly<Record<string, string | undefined>> = process.env): Promise<DataFiles> {
  const folder = env.GEO_DATA
  return folder === undefined || folder === '' ? installedFiles() : filesIn(folder)
}

/** Makes the live data of a process. Nothing is read yet. */
export function liveData(files: () => Promise<DataFiles> = chosenFiles): LiveData {
  let live: { readonly told: string; readonly set: DataSet } | undefined
  let refreshing: Promise<string | undefined> | undefined

  const refresh = async () => {
    const wanted = await files()
    const told = JSON.stringify(wanted)
    if (told === live?.told) return undefined
    const set = await openDataSet(wanted)
    live = { told, set }
    return set.version
  }

  return {
    current() {
      if (live === undefined) throw new Error('no data has been read yet')
      return live.set
    },
    refresh: () => (refreshing ??= refresh().finally(() => (refreshing = undefined))),
  }
}

import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

/** A save is several events; they count as one when they come this close. */
const settleMs = 100

export interface WatchFilesOptions {
  /** Something happened in a folder of the files; whether it was to them is for the one who is called to find out. */
  readonly changed: () => Promise<void>
  readonly failed: (why: string) => void
}

/**
 * Watches the folders that files stand in, not the files: an editor that saves, and a platform that mounts a new secret, puts
 * another file in the place of the old one. `files` is asked again after each change.
 */
export function watchFiles(files: () => readonly string[], { changed, failed }: WatchFilesOptions): Disposable {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const plan = () => {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(() => void changed().then(follow), settleMs)
  }
  const follow = () => {
    const folders = new Set(files().map((file) => dirname(file)))
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder) && !closed) continue
      watcher.close()
      watchers.delete(folder)
    }
    for (const folder of folders) if (!closed && !watchers.has(folder)) open(folder)
  }
  const open = (folder: string) => {
    try {
      const watcher = watch(folder, plan)
      watcher.on('error', (error) => failed(error.message))
      watchers.set(folder, watcher)
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error))
    }
  }
  follow()
  return {
    [Symbol.dispose]: () => {
      closed = true
      clearTimeout(timer)
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

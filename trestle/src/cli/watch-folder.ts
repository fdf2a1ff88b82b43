import { watch } from 'node:fs'
import { sep } from 'node:path'

/** A save is several events, an editor's or a checkout's; they count as one change when they come this close. */
const settleMs = 150
/** At most so many names are kept of one change. */
const namesMax = 100

const ignoredFolders = new Set(['node_modules', '.git', '.trestle', 'dist', 'coverage'])

/**
 * Calls `changed` with the files of a folder that were written, when they have settled; never twice at once: what
 * changes meanwhile comes in the next call.
 */
export function watchFolder(folder: string, changed: (files: readonly string[]) => Promise<void>): Disposable {
  const pending = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let busy = false
  let closed = false

  const plan = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void run(), settleMs)
  }
  const run = async () => {
    if (busy || closed || pending.size === 0) return
    busy = true
    const files = [...pending].toSorted()
    pending.clear()
    // Many editors save by putting a new file in the place of the old one; the watcher would go on looking at the old one.
    // What is written in between is read by what `changed` does.
    watcher.close()
    watcher = open()
    await changed(files).finally(() => (busy = false))
    if (pending.size > 0) plan()
  }
  const open = () =>
    watch(folder, { recursive: true, ignore: (file) => isIgnored(file) }, (_event, file) => {
      if (file === null || isIgnored(file) || !isCode(file) || pending.size >= namesMax) return
      pending.add(file)
      plan()
    })
  let watcher = open()
  return {
    [Symbol.dispose]: () => {
      closed = true
      clearTimeout(timer)
      watcher.close()
    },
  }
}

function isIgnored(file: string): boolean {
  return file.split(sep).some((part) => ignoredFolders.has(part))
}

/** Tests are no part of what runs. */
function isCode(file: string): boolean {
  return /\.(?:[cm]?[jt]s|json|sql)$/.test(file) && !/\.test(?:-d)?\.[cm]?[jt]s$/.test(file)
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { changedSource, changesFor, type SourceChange } from '../source-change.ts'

/** Status of a process that was to change a source and could not. */
const changeFailedStatus = 97

/** Changes what this process loads from now on; says which changes were made. A change that cannot be made ends the process. */
export function changeSources(directory: string, changes: readonly SourceChange[]): void {
  if (changes.length === 0) return
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const wanted = changesFor(url, changes)
      const { source } = loaded
      if (wanted.length === 0 || source === undefined || source === null) return loaded
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      return { ...loaded, source: changed(directory, text, wanted) }
    },
  })
}

function changed(directory: string, text: string, changes: readonly SourceChange[]): string {
  try {
    const source = changedSource(text, changes)
    for (const { name } of changes) note(directory, 'changed', name, `${process.pid}`)
    return source
  } catch (error) {
    const reason = (error as Error).message
    note(directory, 'unchanged', changes[0]?.name ?? 'a change', reason)
    process.stderr.write(`a source change could not be made: ${reason}\n`)
    return process.exit(changeFailedStatus)
  }
}

function note(directory: string, kind: 'changed' | 'unchanged', name: string, text: string): void {
  mkdirSync(join(directory, kind), { recursive: true })
  writeFileSync(join(directory, kind, encodeURIComponent(name)), text)
}
